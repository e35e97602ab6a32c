/**
 * Shows that a form is being sent: it is busy, and its buttons can't be pressed again.
 *
 * A form whose answer is a file (`data-download`) leaves the page as it is, so it isn't marked. A
 * `<select data-auto-submit>` sends its form when it changes, but not by a key: the arrows go through
 * all that lies between, and the form has a button. What a page has for those without scripts
 * (`data-without-script`) is hidden.
 */
export function bindSubmits(root) {
  root.addEventListener("submit", (event) => {
    const form = event.target;
    const isAnswered = form.method === "dialog" || "download" in form.dataset;
    // After the event: what is disabled during it would not be sent.
    setTimeout(() => {
      if (!event.defaultPrevented && !isAnswered) setBusy(form, true);
    });
  });
  let isByKey = false;
  root.addEventListener("keydown", () => (isByKey = true), true);
  root.addEventListener("pointerdown", () => (isByKey = false), true);
  root.addEventListener("change", ({ target }) => {
    if (!isByKey && target.matches("select[data-auto-submit]")) target.form.requestSubmit();
  });
  // A page that the browser has kept comes back as it was left.
  addEventListener("pageshow", () => root.querySelectorAll("form[aria-busy]").forEach(release));
  for (const element of root.querySelectorAll("[data-without-script]")) element.hidden = true;
}

function release(form) {
  setBusy(form, false);
}

function setBusy(form, isBusy) {
  if (isBusy) form.setAttribute("aria-busy", "true");
  else form.removeAttribute("aria-busy");
  for (const control of form.elements) {
    if (control.type === "submit") control.disabled = isBusy;
  }
}
