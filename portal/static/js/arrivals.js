/* The tablet at the door.  Each tap is kept in this browser under a key of its own until the server has it: a tap is sent again
   until it has come, and the server counts each key once.  Without scripts each card is a form that is sent with its button. */

import { codeCamera } from "./code_camera.js";

const PREFIX = "arrival:", RETRY = 1500, LONGEST_RETRY = 20000, NEWS = 20000, AT_ONCE = 40, UNDO_SECONDS = 10;
const door = document.getElementById("door"), told = door.dataset, chip = document.getElementById("unsent");
const found = document.getElementById("found"), field = document.getElementById("q"), unknown = document.getElementById("unknown");
const title = document.title, memory = new Map();
let token = "", busy = false, wait = RETRY, timer = 0, why = "", lastNews = Date.now();

document.documentElement.classList.add("scripts");

/* --- The queue: one entry of the storage for each tap, so that two tabs never write over each other. --- */

function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 15) | 64;
  b[8] = (b[8] & 63) | 128;
  return [...b].map((each, i) => (i > 3 && i < 11 && i % 2 === 0 ? "-" : "") + each.toString(16).padStart(2, "0")).join("");
}

function waiting() {
  const taps = [...memory.values()];
  try {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(PREFIX)) continue;
      const tap = JSON.parse(localStorage.getItem(key) ?? "null");
      if (tap) taps.push(tap);
    }
  } catch { /* the storage is switched off: what is in memory is all */ }
  return taps.sort((one, other) => one.at - other.at || one.turn - other.turn);
}

let turn = 0;
const before = new Map();

function keep(act, more = {}) {
  const tap = { id: newKey(), act, at: Date.now(), turn: turn++, place: told.at, year: told.year, after: before.get(`${more.offer} ${act}`), ...more };
  if (more.offer) before.set(`${more.offer} ${act}`, tap.id);
  try {
    localStorage.setItem(PREFIX + tap.id, JSON.stringify(tap));
  } catch {
    memory.set(tap.id, tap);
  }
  tell();
  send();
  return tap;
}

function drop(id) {
  memory.delete(id);
  try { localStorage.removeItem(PREFIX + id); } catch { /* as above */ }
}

/* --- Sending: part by part, in order, again until all have come. --- */

async function ask(address, options = {}) {
  const answer = await fetch(address, { cache: "no-store", redirect: "manual", signal: AbortSignal.timeout?.(15000), ...options });
  if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) throw new Error("session");
  if (!answer.ok) throw new Error("server");
  return answer.json();
}

async function news() {
  const seconds = Math.ceil((Date.now() - lastNews) / 1000) + 60, asked = Date.now();
  const answer = await ask(`${told.exchange}?at=${told.at}&seconds=${seconds}`);
  token = answer.token;
  lastNews = asked;
  answer.news.forEach(colleague);
}

async function send() {
  if (busy) return;
  busy = true;
  clearTimeout(timer);
  try {
    if (!token || Date.now() - lastNews > NEWS) await news();
    for (let taps = waiting(); taps.length; taps = waiting()) {
      const first = taps[0], part = taps.filter((tap) => tap.place === first.place && tap.year === first.year).slice(0, AT_ONCE);
      const body = new URLSearchParams({ csrf_token: token, at: first.place, year: first.year, taps: JSON.stringify(part.map(outgoing)) });
      const { taken } = await ask(told.exchange, { method: "POST", body });
      for (const each of taken) {
        const tap = part.find((one) => one.id === each.id);
        if (tap) { drop(tap.id); settled(tap, each.kept); }
      }
      if (!taken.length) throw new Error("server");
      tell();
    }
    [why, wait] = ["", RETRY];
  } catch (fault) {
    why = fault.message === "session" ? "session" : "offline";
    token = "";
    wait = Math.min(wait * 1.6, LONGEST_RETRY);
  }
  busy = false;
  tell();
  timer = setTimeout(send, waiting().length ? wait : NEWS);
}

function outgoing({ id, act, offer, done, room, noted, at, after }) {
  return { id, after, act, offer, done, class: room, noted, waited: Math.max(Date.now() - at, 0) / 1000 };
}

addEventListener("online", () => { wait = RETRY; send(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
addEventListener("storage", tell);
addEventListener("beforeunload", (event) => { if (waiting().length) event.preventDefault(); });

function tell() {
  const n = waiting().length;
  chip.hidden = !n;
  chip.querySelector("b").textContent = told.unsent.replace("{n}", n);
  chip.querySelector("[data-why]").textContent = why === "session" ? told.session : memory.size ? told.memory : told.offline;
  document.title = n ? `(⇡${n}) ${title}` : title;
}

/* --- The cards. --- */

const rows = (offer) => [...document.querySelectorAll(`[data-offer="${CSS.escape(offer)}"]`)];
const clock = (at) => new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

function paint(row, act, done, words, up = false) {
  const box = row.querySelector(`[data-check="${act}"]`), label = box?.closest(".t");
  if (!box) return;
  box.checked = done;
  label.classList.toggle("up", up);
  label.querySelector("[data-saved]").textContent = words;
  row.querySelector(`[data-dot="${act}"]`)?.classList.toggle("y", done);
}

function show(tap, words) {
  for (const row of rows(tap.offer)) {
    if (tap.act === "arrived") move(row, "arrived");
    else if (tap.act === "not_arrived") move(row, "confirmed");
    else paint(row, tap.act, tap.done, words.replace("{time}", clock(tap.at)), words === told.waiting);
  }
}

function settled(tap, kept) {
  if (!tap.offer) return;
  show(tap, tap.done === false ? told.undone : told.saved);
  if (!kept) return;
  for (const row of rows(tap.offer)) {
    row.querySelector(".kept")?.remove();
    row.querySelector(".kid").append(Object.assign(document.createElement("p"), { className: "kept", role: "alert", textContent: told.kept.replace("{why}", kept) }));
    if (tap.act === "arrived") move(row, "confirmed");
  }
}

function colleague(tap) {
  if (waiting().some((own) => own.offer === tap.offer && own.act === tap.act)) return;
  const at = Date.now() - tap.ago * 1000;
  show({ ...tap, at }, told.by.replace("{name}", tap.by));
}

function move(row, state) {
  if (row.dataset.state === state) return;
  row.dataset.state = state;
  if (!row.closest("#door")) return;
  const here = state === "arrived" ? 1 : -1, number = document.querySelector("[data-count=arrived]");
  number.textContent = Number(number.textContent) + here;
  number.closest(".cnt").querySelector("progress").value += here;
  for (const [tab, change] of [["expected", -here], ["arrived", here]]) {
    const count = door.querySelector(`[data-tab="${tab}"] b`);
    count.textContent = Number(count.textContent) + change;
  }
  filter();
}

document.addEventListener("change", (event) => {
  const box = event.target, row = box.closest("[data-offer]");
  if (!row || !box.dataset.check) return;
  show(keep(box.dataset.check, { offer: row.dataset.offer, done: box.checked }), told.waiting);
});

document.addEventListener("change", (event) => { if (event.target.name === "class_name") label(event.target.form); });

function label(form) {
  const button = form.querySelector(".arr"), room = form.elements.class_name?.value ?? form.querySelector("[name=class_name]:checked")?.value;
  if (button && room) button.textContent = button.dataset.words.replace("{class}", room);
}
document.querySelectorAll("[data-kid]").forEach(label);

document.addEventListener("submit", (event) => {
  const form = event.target, act = event.submitter?.value;
  if (form.hasAttribute("data-note")) {
    event.preventDefault();
    event.stopImmediatePropagation();
    const noted = form.elements.noted.value.trim();
    if (!noted) { form.elements.noted.focus(); return; }
    keep("noted", { noted });
    form.replaceChildren(Object.assign(document.createElement("p"), { role: "status", textContent: told.note }));
    return;
  }
  if (!form.hasAttribute("data-kid") || !["arrived", "not_arrived", "class"].includes(act)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const row = form.closest("[data-offer]"), room = form.querySelector("[name=class_name]:checked")?.value;
  const tap = keep(act, { offer: row.dataset.offer, room });
  show(tap, told.waiting);
  if (act === "arrived") { form.closest("details").open = false; offerUndo(row, room); ready(); }
}, true);

/* --- Ten seconds to take an arrival back. --- */

const undo = document.getElementById("undo");
let undoing = 0;

function offerUndo(row, room) {
  clearInterval(undoing);
  let left = UNDO_SECONDS;
  undo.querySelector("b").textContent = told.arrived.replace("{name}", row.dataset.name).replace("{class}", room);
  undo.hidden = false;
  const tick = () => {
    undo.querySelector("text").textContent = left;
    undo.querySelector("circle + circle").style.strokeDashoffset = String(100 - (100 * left) / UNDO_SECONDS);
    if (left-- <= 0) { clearInterval(undoing); undo.hidden = true; }
  };
  tick();
  undoing = setInterval(tick, 1000);
  undo.querySelector("button").onclick = () => {
    clearInterval(undoing);
    undo.hidden = true;
    show(keep("not_arrived", { offer: row.dataset.offer }), told.waiting);
  };
}

/* --- Finding a child by letters or code; the list of the page is all that is needed. --- */

let tab = told.group;

function fits(row, typed) {
  const plain = (text) => text.toUpperCase().replaceAll("-", "");
  if (row.dataset.notice.toUpperCase() === typed) return true;
  return row.dataset.initials.startsWith(typed) || row.dataset.name.toUpperCase().includes(typed) || plain(row.dataset.code).startsWith(plain(typed));
}

function inTab(row) {
  if (tab === "missing") return row.dataset.state === "arrived" && Boolean(row.querySelector("[data-check]:not(:checked)"));
  return (row.dataset.state === "arrived") === (tab === "arrived");
}

function filter() {
  if (!["expected", "arrived", "missing"].includes(tab)) return;
  const typed = field.value.split("/verify/").at(-1).replaceAll(/\s/g, "").toUpperCase();
  const listed = [...door.querySelectorAll(".kid-row")];
  const hits = typed ? listed.filter((row) => fits(row, typed)) : [];
  for (const row of listed) row.hidden = typed ? !hits.includes(row) : !inTab(row);
  if (hits.length === 1) hits[0].querySelector("details").open = true;
  unknown.hidden = !typed || hits.length > 0;
  if (!unknown.hidden && unknown.querySelector("[name=noted]")) unknown.querySelector("[name=noted]").value = field.value;
}

function ready() {
  field.value = "";
  filter();
  field.focus({ preventScroll: false });
}

/* A page that holds only a part of the children looks in it first; what is not there the server looks for. */
const isWhole = !("part" in told);

if (door.querySelector(".kid-row")) {
  if (isWhole) found?.remove();
  field.addEventListener("input", (event) => { if (!event.isComposing) filter(); });
  field.addEventListener("compositionend", filter);
  field.form.addEventListener("submit", (event) => {
    filter();
    if (!isWhole && navigator.onLine && field.value.trim() && !door.querySelector(".kid-row:not([hidden])")) return;
    event.preventDefault();
    field.select();
  });
  for (const link of door.querySelectorAll("[data-tab]")) {
    if (!["expected", "arrived", "missing"].includes(link.dataset.tab)) continue;
    link.addEventListener("click", (event) => {
      if (!isWhole || !["expected", "arrived", "missing"].includes(tab)) return;
      event.preventDefault();
      tab = link.dataset.tab;
      for (const each of door.querySelectorAll("[data-tab]")) each.toggleAttribute("aria-current", each === link);
      link.setAttribute("aria-current", "page");
      field.value = "";
      filter();
    });
  }
}

/* --- The camera: the code of an admission notice is looked for as if it were typed. --- */

codeCamera(document.getElementById("scan"), document.getElementById("camera"), told.reader, (text) => {
  field.value = text.split("/verify/").at(-1);
  field.form.requestSubmit();
  const child = door.querySelector(".kid-row:not([hidden])");
  if (child && unknown.hidden) child.scrollIntoView({ block: "nearest" });
});

/* What this browser kept from an earlier visit is shown again, and sent. */
for (const tap of waiting()) if (tap.offer) show(tap, told.waiting);
filter();
tell();
send();
