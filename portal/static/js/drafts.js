/* What a family types is kept in this browser until the server has it. Nothing here ever says "saved" of it.

   A draft is bound to the account and to the page, whose address names the application. It holds no identity number and no
   file, it is gone when the server has it, when the reader signs out or another one signs in, and after seven days. */

const PREFIX = "draft:", SEVEN_DAYS = 7 * 24 * 3600 * 1000, RETRY_SECONDS = 30, PATIENCE = 8000;
const NUMBER = /\d{15}|\d{17}[\dX]/i;

const bar = document.getElementById("unsaved"), panel = document.getElementById("not-sent"), back = document.getElementById("kept-draft");
const owner = document.querySelector("meta[name=draft-owner]")?.content ?? "", form = bar?.closest("form");
const state = () => document.getElementById("draft-state");

function drafts() {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
  } catch {
    return []; /* storage is switched off: the page works as it does without scripts */
  }
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

for (const key of drafts()) {
  const draft = read(key);
  const old = !draft || Date.now() - draft.at > SEVEN_DAYS;
  if (old || (owner && !key.startsWith(`${PREFIX}${owner}:`))) localStorage.removeItem(key);
}

/* "network", "server", "session" or "" when all is well; and which keys have arrived. */
async function ask(keys = []) {
  const query = new URLSearchParams(keys.map((key) => ["key", key]));
  let answer;
  try {
    answer = await fetch(`/drafts/state?${query}`, { cache: "no-store", signal: AbortSignal.timeout?.(PATIENCE) });
  } catch {
    return { why: navigator.onLine ? "server" : "network", arrived: [] };
  }
  if (!answer.ok) return { why: "server", arrived: [] };
  const told = await answer.json().catch(() => null);
  if (!told) return { why: "server", arrived: [] };
  return { why: owner && told.owner !== owner ? "session" : "", arrived: told.arrived };
}

/* What has arrived goes; this runs on every page of the family, because a saved page may lead to one without a form. */
async function clear() {
  const sent = drafts().map((key) => [key, read(key)?.key]).filter(([, key]) => key);
  if (!owner || !sent.length) return;
  const { arrived } = await ask(sent.map(([, key]) => key));
  for (const [key, act] of sent) if (arrived.includes(act)) localStorage.removeItem(key);
}

await clear();
if (form && owner && panel) begin();

function begin() {
  /* one address may show several forms, whose answers must not mix */
  const here = `${PREFIX}${owner}:${location.pathname}${form.dataset.draft ? `#${form.dataset.draft}` : ""}`;
  const faulty = Boolean(document.querySelector(".govuk-error-summary, [data-newer]"));
  const untouched = faulty ? null : JSON.stringify(fields());
  let waiting, retry, busy = false, pending = false, pressed = null;

  offerBack();

  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(keep, 300); });
  form.addEventListener("change", keep);
  addEventListener("pagehide", keep);
  addEventListener("offline", () => { if (keep()) show("network"); });
  addEventListener("online", again);
  document.addEventListener("submit", send, true);
  panel.querySelector("[data-again]").addEventListener("click", again);
  for (const button of document.querySelectorAll("[data-forget]")) button.addEventListener("click", forget);

  function fields() {
    return [...form.elements].filter(mayKeep).map((field) => [field.name, field.value, "checked" in field ? field.checked : true]);
  }

  function mayKeep(field) {
    if (!field.name || ["hidden", "file", "password", "submit", "button"].includes(field.type)) return false;
    return !/number$/.test(field.name) && !NUMBER.test(field.value.replace(/[\s-]/g, ""));
  }

  /* Keeps what differs from what the server showed; whether there is anything. */
  function keep(extra = {}) {
    clearTimeout(waiting);
    const said = fields();
    if (document.documentElement.dataset.forget || JSON.stringify(said) === untouched) return false;
    const known = read(here), more = extra instanceof Event ? {} : extra;
    const draft = { at: Date.now(), version: form.elements.version?.value ?? "", fields: said, key: known?.key, ...more };
    try {
      localStorage.setItem(here, JSON.stringify(draft));
    } catch {
      return false;
    }
    state().textContent = state().dataset.here.replace("{time}", clock(draft.at));
    return true;
  }

  function offerBack() {
    const draft = read(here);
    if (!draft || faulty) return; /* a refused form came back from the server with what was typed: it has been delivered */
    const same = draft.version === (form.elements.version?.value ?? "");
    back.querySelector("[data-time]").textContent = `${new Date(draft.at).toLocaleDateString(document.documentElement.lang)} ${clock(draft.at)}`;
    back.querySelector("[data-same]").hidden = !same;
    back.querySelector("[data-other]").hidden = same;
    back.hidden = false;
    if (same) fill(draft);
    back.querySelector("[data-use]").addEventListener("click", () => { fill(draft); back.querySelector("[data-other]").hidden = true; keep(); });
  }

  function fill(draft) {
    for (const [name, value, checked] of draft.fields) {
      for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
        if (!mayKeep(field)) continue;
        if (field.type === "radio" || field.type === "checkbox") { if (field.value === value) field.checked = checked; }
        else field.value = value;
        field.dispatchEvent(new Event("change"));
      }
    }
  }

  /* Asks whether the server is there and knows the reader, before the page is given up for its answer. */
  async function send(event) {
    if (event.target !== form || form.dataset.asked) { delete form.dataset.asked; return; }
    event.preventDefault();
    event.stopImmediatePropagation();
    [pending, pressed] = [true, event.submitter];
    keep();
    await again();
  }

  async function again() {
    if (busy) return;
    busy = true;
    clearInterval(retry);
    const { why } = await ask();
    busy = false;
    if (why) { show(why); return; }
    panel.hidden = true;
    if (!pending) return;
    keep({ key: form.elements.idempotency_key?.value });
    form.dataset.asked = "1";
    form.requestSubmit(pressed);
    [pending, pressed] = [false, null];
  }

  function show(why) {
    const first = panel.hidden;
    for (const heading of panel.querySelectorAll("[data-why]")) heading.hidden = heading.dataset.why !== why;
    panel.querySelector("[data-sign-in]").hidden = why !== "session";
    panel.querySelector("[data-again]").hidden = why === "session";
    panel.hidden = false;
    if (first) { panel.scrollIntoView({ block: "center" }); panel.focus({ preventScroll: true }); }
    clearInterval(retry);
    const told = panel.querySelector("[data-retry]");
    told.hidden = why === "session";
    if (why === "session") return;
    let left = RETRY_SECONDS;
    const tick = () => { told.textContent = told.dataset.retry.replace("{n}", left); if (left-- <= 0) again(); };
    tick();
    retry = setInterval(tick, 1000);
  }

  function forget() {
    document.documentElement.dataset.forget = "1";
    for (const key of drafts()) localStorage.removeItem(key);
    form.reset();
    location.reload();
  }
}

function clock(at) {
  return new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

/* Where nothing is typed there is nothing to lose; without a network the step has simply not been done, and the page says so. */
document.addEventListener("submit", (event) => {
  if (event.target === form || event.target.action.endsWith("/sign-out") || navigator.onLine) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const told = document.getElementById("no-network");
  if (!told) return;
  told.hidden = false;
  told.scrollIntoView({ block: "center" });
}, true);
addEventListener("online", () => { const told = document.getElementById("no-network"); if (told) told.hidden = true; });
