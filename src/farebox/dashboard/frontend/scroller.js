/**
 * What is wider than its frame (`.wide`) can be scrolled with the keys as well: while it is, it can
 * be reached by them.
 * On a phone the links to the pages are in such a frame: that of the current one is brought into it.
 */
export function bindScrollers(root) {
  const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => update(target)));
  for (const element of root.querySelectorAll(".wide")) observer.observe(element);
  const here = root.querySelector(".nav [aria-current]");
  if (here) here.closest(".nav").scrollLeft = here.offsetLeft - here.offsetWidth;
}

function update(element) {
  if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
  else element.removeAttribute("tabindex");
}
