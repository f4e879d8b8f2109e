/* Small help where scripts run; every page works without it. */

/* A second click on the same button sends nothing: the first one is on its way. The server's key protects those without scripts. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || (form.method || "get").toLowerCase() !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  for (const button of form.querySelectorAll("button[type=submit]")) button.setAttribute("aria-disabled", "true");
  /* A lost connection must not lock the form for ever. */
  setTimeout(() => release(form), 8000);
});

function release(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("button[aria-disabled]")) button.removeAttribute("aria-disabled");
}

/* The back button shows the page as it was left: open its forms again. */
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(release);
});

/* govuk-frontend is fetched only where a page has one of its parts (focus on the error summary, conditional answers). */
if (document.querySelector("[data-module^=govuk]") && "noModule" in HTMLScriptElement.prototype) {
  document.body.classList.add("js-enabled", "govuk-frontend-supported");
  import("../vendor/govuk-frontend-6.6.0/govuk-frontend.min.js").then(({ createAll, ErrorSummary, Radios, Checkboxes }) => {
    [ErrorSummary, Radios, Checkboxes].forEach((part) => createAll(part));
  }).catch(() => {});
}
