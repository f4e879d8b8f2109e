/* What a family types is kept in this browser until the server has it (kept.js). Nothing here ever says "saved" of it.

   A draft is bound to the account and to the page, whose address names the application. It holds no file, and it is gone when
   the server has it, when the reader signs out, and after seven days. */
import { all, ask, clock, drop, dropArrived, forget, keep, one, owner, weight } from "./kept.js";

const PREFIX = "draft:", RETRY_SECONDS = 30, A_DAY = 24 * 3600 * 1000;

const bar = document.getElementById("unsaved"), panel = document.getElementById("not-sent"), back = document.getElementById("kept-draft");
const form = bar?.closest("form"), list = document.getElementById("kept-here"), rest = document.getElementById("on-the-way");
const state = () => document.getElementById("draft-state");
/* one address may show several forms, whose answers must not mix */
const here = `${PREFIX}${location.pathname}${form?.dataset.draft ? `#${form.dataset.draft}` : ""}`;
let began = false, sends = null;

/* What still waits on this phone, and what has come from it today. */
async function tell() {
  if (!list) return;
  const kept = await all("");
  for (const old of kept) if (old.id.startsWith("sent:") && Date.now() - old.at > A_DAY) await drop(old.id);
  const sent = kept.filter((each) => each.id.startsWith("sent:")).slice(-5);
  const waits = kept.filter((each) => !each.id.startsWith("sent:") && !(began && each.id === here));
  for (const [name, each] of [["waits", waits], ["sent", sent]]) {
    const part = list.querySelector(`[data-list=${name}]`);
    part.hidden = !each.length;
    part.querySelector("[data-count]").textContent = each.length;
    part.querySelector("ul").replaceChildren(...each.map(line));
  }
  list.hidden = !waits.length;
}

function line(each) {
  const item = document.createElement("li"), name = document.createElement(each.page ? "a" : "span");
  name.textContent = each.label ?? "";
  if (each.page) name.href = each.page;
  item.dataset.id = each.id;
  item.append(name, Object.assign(document.createElement("small"), { textContent: each.size ? weight(each.size) : "" }), Object.assign(document.createElement("span"), { className: "num", textContent: clock(each.at) }));
  return item;
}

if (owner) {
  /* earlier versions of this page kept drafts readable */
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  } catch { /* storage is switched off: the page works as it does without scripts */ }
  if (form && panel) await begin();
  else {
    await dropArrived();
    if (panel) watch();
  }
  await tell();
  if ((await all("photo:")).length) (await import("./photo_queue.js")).send();
  document.addEventListener("photo", async ({ detail }) => {
    sends = detail.state === "sends" ? detail : null;
    if (!sends) { tell(); if (rest) rest.hidden = true; return; }
    const { underWay } = await import("./upload_progress.js");
    if (sends === detail) underWay(detail, list, rest);
  });
  for (const button of document.querySelectorAll("[data-forget-all]")) button.addEventListener("click", async () => { await forget(); location.reload(); });
}

/* On a page without a form of its own, the card says why what is kept cannot be sent, and when it is tried again. */
function watch() {
  let timer;
  document.addEventListener("photo", ({ detail }) => {
    if (detail.state === "held") timer = show(detail.why, again, timer);
    else if (detail.state !== "waits") panel.hidden = true;
  });
  addEventListener("offline", async () => { if ((await all("photo:")).length) timer = show("network", again, timer); });
  const again = async () => { const { why } = await ask(); if (why) timer = show(why, again, timer); else { panel.hidden = true; (await import("./photo_queue.js")).send(); } };
  addEventListener("online", again);
  panel.querySelector("[data-again]").addEventListener("click", again);
  panel.querySelector("[data-forget]").dataset.forgetAll = "";
}

function show(why, again, timer) {
  const first = panel.hidden;
  for (const heading of panel.querySelectorAll("[data-why]")) heading.hidden = heading.dataset.why !== why;
  panel.querySelector("[data-sign-in]").hidden = why !== "session";
  panel.querySelector("[data-again]").hidden = why === "session";
  panel.hidden = false;
  if (first) { panel.scrollIntoView({ block: "center" }); panel.focus({ preventScroll: true }); }
  clearInterval(timer);
  const told = panel.querySelector("[data-retry]");
  told.hidden = why === "session";
  if (why === "session") return 0;
  let left = RETRY_SECONDS;
  const tick = () => { told.textContent = told.dataset.retry.replace("{n}", left); if (left-- <= 0) again(); };
  tick();
  return setInterval(tick, 1000);
}

async function begin() {
  const faulty = Boolean(document.querySelector(".govuk-error-summary, [data-newer]"));
  const untouched = faulty ? null : JSON.stringify(fields());
  let waiting, retry, busy = false, pending = false, pressed = null, sentKey, older = null;
  began = true;

  /* The page listens at once, and stores nothing over an earlier draft before that one was read. */
  const ready = dropArrived().then(offerBack);

  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(save, 200); });
  form.addEventListener("change", () => save());
  document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
  addEventListener("pagehide", () => save());
  addEventListener("offline", async () => { if (changed()) { await save(); retry = show("network", again, retry); } });
  addEventListener("online", again);
  document.addEventListener("submit", send, true);
  document.addEventListener("click", switchOver, true);
  panel.querySelector("[data-again]").addEventListener("click", again);
  for (const button of document.querySelectorAll("[data-forget]")) button.addEventListener("click", forgetThis);
  await ready;

  function fields() {
    return [...form.elements].filter(mayKeep).map((field) => [field.name, field.value, "checked" in field ? field.checked : true]);
  }

  function mayKeep(field) {
    if (!field.name || ["hidden", "file", "password", "submit", "button"].includes(field.type)) return false;
    return field.autocomplete !== "one-time-code";
  }

  function changed() {
    return JSON.stringify(fields()) !== untouched;
  }

  /* While two versions are to choose from, what is not chosen yet stays kept beside what is. */
  function withOlder(now) {
    const before = JSON.parse(untouched ?? "[]").map(String);
    const touched = new Set(now.filter((each, at) => String(each) !== before[at]).map(([name]) => name));
    return [...now.filter(([name]) => touched.has(name)), ...older.fields.filter(([name]) => !touched.has(name))];
  }

  /* Keeps what differs from what the server showed; whether it is kept beyond this page. */
  async function save(extra = {}) {
    clearTimeout(waiting);
    await ready;
    if (form.dataset.forgets || !changed()) return false;
    if (extra.key) sentKey = extra.key;
    const label = document.querySelector("h1").textContent.trim();
    const kept = older ? { version: older.version, fields: withOlder(fields()) } : { version: form.elements.version?.value ?? "", fields: fields() };
    const draft = { ...kept, at: Date.now(), key: sentKey, label, page: location.pathname + location.search };
    const stored = await keep(here, draft);
    const said = state();
    said.textContent = (stored ? said.dataset.here : said.dataset.volatile).replace("{time}", clock(draft.at));
    return stored;
  }

  async function offerBack() {
    const draft = await one(here);
    if (!draft || faulty) return; /* a refused form came back from the server with what was typed: it has been delivered */
    sentKey = draft.key;
    const same = draft.version === (form.elements.version?.value ?? "");
    for (const told of back.querySelectorAll("[data-time]")) told.textContent = `${new Date(draft.at).toLocaleDateString(document.documentElement.lang)} ${clock(draft.at)}`;
    if (same) fill(draft, document.activeElement); /* not over what is being typed now */
    else if (!await twoVersions(draft)) { await drop(here); return; }
    back.querySelector("[data-same]").hidden = !same;
    back.querySelector("[data-other]").hidden = same;
    back.hidden = false;
  }

  /* Changed on another phone meanwhile: both versions of each answer, to choose from; false if they say the same. */
  async function twoVersions(draft) {
    const { choose } = await import("./draft_choice.js");
    older = draft;
    form.prepend(back);
    return choose(back.querySelector("[data-choices]"), form, draft, mayKeep);
  }

  function fill(draft, except = null) {
    for (const [name, value, checked] of draft.fields) {
      for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
        if (!mayKeep(field) || field === except) continue;
        if (field.type === "radio" || field.type === "checkbox") { if (field.value === value) field.checked = checked; }
        else field.value = value;
        field.dispatchEvent(new Event("change"));
      }
    }
  }

  /* Another language or larger letters: the same page comes again, with what was typed. */
  async function switchOver(event) {
    const button = event.target.closest("[data-switch]");
    if (!button || !changed()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (await save()) { form.dataset.leaves = "1"; location.href = button.dataset.switch; }
    else { form.dataset.asked = "1"; form.requestSubmit(button); } /* what this browser cannot keep, the session keeps */
  }

  /* Asks whether the server is there and knows the reader, before the page is given up for its answer. */
  async function send(event) {
    if (event.target !== form || form.dataset.asked) { delete form.dataset.asked; return; }
    event.preventDefault();
    event.stopImmediatePropagation();
    [pending, pressed] = [true, event.submitter];
    await save();
    await again();
  }

  async function again() {
    if (busy) return;
    busy = true;
    clearInterval(retry);
    const { why } = await ask();
    busy = false;
    if (why) { retry = show(why, again, retry); return; }
    panel.hidden = true;
    if (!pending) return;
    if (changed()) await save({ key: form.elements.idempotency_key?.value });
    else await drop(here); /* what was typed here was given up for what the server has */
    form.dataset.asked = "1";
    form.requestSubmit(pressed);
    [pending, pressed] = [false, null];
  }

  async function forgetThis() {
    form.dataset.forgets = "1";
    await drop(here);
    form.reset();
    location.reload();
  }
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
