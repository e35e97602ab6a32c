/**
 * Asks before a form is sent: `<form data-confirm="#dialog">` and a `<dialog id="dialog">` that
 * holds a `<form method="dialog">` with two buttons, one of them with the value "yes".
 *
 * Without a script the form goes to a page that asks. A form that was confirmed here has the field
 * `confirmed` with the value "yes", so that it isn't asked again.
 */
const YES = "yes";

export function bindConfirmations(root) {
  for (const form of root.querySelectorAll("form[data-confirm]")) {
    const dialog = root.querySelector(form.dataset.confirm);
    if (dialog?.showModal) bind(form, dialog);
  }
}

function bind(form, dialog) {
  let isConfirmed = false;
  let submitter = null;
  form.addEventListener("submit", (event) => {
    if (isConfirmed) return;
    event.preventDefault();
    submitter = event.submitter;
    dialog.returnValue = "";
    dialog.showModal();
    // Not `autofocus`: of that browsers complain in a frame of another site, though it is hidden.
    dialog.querySelector('button[value="no"]')?.focus();
  });
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== YES) return;
    isConfirmed = true;
    form.append(confirmedField());
    form.requestSubmit(submitter);
  });
}

function confirmedField() {
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = "confirmed";
  field.value = YES;
  return field;
}
