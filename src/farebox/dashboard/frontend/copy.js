/**
 * Copies the text of an element: `<button data-copy="#id" data-copied="Copied" hidden>`.
 *
 * The button is hidden until it can work; where the browser has no clipboard, it stays so. What
 * has happened is said beside it, to screen readers, too.
 */
const SHOWN_MS = 4000;

export function bindCopyButtons(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy]")) bind(button);
}

function bind(button) {
  const status = document.createElement("span");
  status.className = "copied";
  status.setAttribute("role", "status");
  button.after(status);
  button.hidden = false;
  let timer = 0;
  button.addEventListener("click", async () => {
    const source = document.querySelector(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(textOf(source));
    } catch {
      // Not allowed: selected, it can be copied by hand.
      select(source);
      return;
    }
    status.textContent = button.dataset.copied;
    clearTimeout(timer);
    timer = setTimeout(() => status.replaceChildren(), SHOWN_MS);
  });
}

function textOf(element) {
  return "value" in element ? element.value : element.textContent.trim();
}

function select(element) {
  if ("select" in element) element.select();
  else getSelection().selectAllChildren(element);
}
