/**
 * Signs in by a link whose token stands behind the `#`: `<form data-link-form method="post">` with
 * the hidden field `token`. The token leaves the address before anything else is done. A link that
 * is pasted where this page is open already changes no more than the `#`, and loads no page.
 */
export function bindLink(root) {
  sendLink(root);
  addEventListener("hashchange", () => sendLink(root));
}

function sendLink(root) {
  const form = root.querySelector("form[data-link-form]");
  const token = location.hash.slice(1);
  if (!form || !token) return;
  history.replaceState(null, "", location.pathname + location.search);
  form.elements.namedItem("token").value = token;
  form.requestSubmit();
}
