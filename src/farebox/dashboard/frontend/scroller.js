/**
 * What is wider than its frame (`.wide`) can be scrolled with the keys as well: while it is, it can
 * be reached by them.
 */
export function bindScrollers(root) {
  const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => update(target)));
  for (const element of root.querySelectorAll(".wide")) observer.observe(element);
}

function update(element) {
  if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
  else element.removeAttribute("tabindex");
}
