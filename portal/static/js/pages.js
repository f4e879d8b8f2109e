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

/* A code sends itself with its last digit, as its hint says where scripts run; a code that was refused waits to be changed. */
for (const field of document.querySelectorAll("input[data-sends-itself]")) {
  const code = () => field.value.normalize("NFKC").replace(/[\s\-()]/g, "");
  let sent = code();
  field.form.querySelector("[data-by-itself]").hidden = false;
  field.addEventListener("input", () => {
    if (code() === sent || code().length !== Number(field.dataset.sendsItself) || /\D/.test(code())) return;
    sent = code();
    field.form.requestSubmit();
  });
}

/* A file above the limit that the field says is refused when it is chosen, before anything travels. The server keeps the same limit. */
document.addEventListener("change", (event) => {
  const input = event.target;
  if (!input.dataset?.limits || !input.files) return;
  const limits = JSON.parse(input.dataset.limits);
  const large = [...input.files].find((file) => file.size > limits[kindOf(file, limits)]);
  tellBeside(input, large ? tooLarge(input, large, limits[kindOf(large, limits)]) : "");
  rest(input.form, Boolean(large));
  if (!large) return;
  input.value = "";
  event.stopImmediatePropagation();
}, true);

/* With the refused file gone there is nothing to upload: the button rests until another file is chosen. A form that asks for more
   than a file can be sent without one, but only when its button is pressed again. */
function rest(form, refused) {
  for (const button of form?.querySelectorAll("button[type=submit]") ?? []) {
    if (refused) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }
  if (refused) form.dataset.refusedFile = "1";
  else if (form) delete form.dataset.refusedFile;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.refusedFile || event.submitter?.dataset.switch) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  form.querySelector("input[type=file][aria-invalid]")?.focus();
  if ([...form.elements].some((each) => !["file", "hidden", "submit"].includes(each.type))) rest(form, false);
}, true);

/* What the photos weigh together is known only when they have been made smaller. */
document.addEventListener("submit", (event) => {
  const input = event.target.querySelector("input[type=file][data-most-at-once]");
  const together = [...input?.files ?? []].reduce((sum, file) => sum + file.size, 0);
  if (!input || event.submitter?.dataset.switch || together <= Number(input.dataset.mostAtOnce)) return;
  event.preventDefault();
  tellBeside(input, input.dataset.tooMuch);
}, true);

function kindOf(file, limits) {
  const kinds = Object.keys(limits);
  if (kinds.length === 1) return kinds[0];
  return file.type === "application/pdf" || /\.pdf$/i.test(file.name) ? "pdf" : "photo";
}

function tooLarge(input, file, most) {
  const [unit, size] = most >= 2 ** 20 ? ["MB", 2 ** 20] : ["KB", 1000];
  return input.dataset.tooLarge.replace("{size}", `${Math.ceil(file.size / size)} ${unit}`).replace("{most}", `${Math.floor(most / size)} ${unit}`);
}

/* A fault stands between the question and its field, as the server writes it. */
function tellBeside(input, text) {
  const group = input.closest(".govuk-form-group"), id = `${input.id}-error`;
  document.getElementById(id)?.remove();
  group.classList.toggle("govuk-form-group--error", Boolean(text));
  const described = (input.getAttribute("aria-describedby") ?? "").split(" ").filter((each) => each && each !== id);
  if (text) {
    input.before(Object.assign(document.createElement("p"), { id, className: "govuk-error-message", role: "alert", textContent: text }));
    described.push(id);
  }
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  if (described.length) input.setAttribute("aria-describedby", described.join(" "));
  else input.removeAttribute("aria-describedby");
}

/* Whoever signs out leaves nothing behind in this browser, also when the network is off (kept.js). */
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.action?.endsWith("/sign-out") || form.dataset.wiped) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  form.dataset.wiped = "1";
  const patience = new Promise((done) => { setTimeout(done, 2000); });
  await Promise.race([import("./kept.js").then(({ wipe }) => wipe()), patience]).catch(() => {});
  form.requestSubmit(event.submitter);
}, true);

/* The back button shows the page as it was left: open its forms again. */
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-sent]").forEach(release);
});

/* On a phone, the row of sections is pulled so far that the section of this page is seen. */
for (const here of document.querySelectorAll(".desks [aria-current]")) {
  const row = here.closest("ul");
  row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
}

/* The summary of faults has the focus when the page opens; each of its links leads into the field, with the question in sight. */
const faults = document.querySelector(".govuk-error-summary");
if (faults) {
  faults.tabIndex = -1;
  faults.focus();
  faults.addEventListener("click", (event) => {
    const field = document.getElementById(decodeURIComponent(event.target.closest("a")?.hash.slice(1) ?? ""));
    if (!field?.matches("input, select, textarea")) return;
    event.preventDefault();
    (field.closest("fieldset")?.querySelector("legend") ?? field.labels?.[0] ?? field).scrollIntoView();
    field.focus({ preventScroll: true });
  });
}
