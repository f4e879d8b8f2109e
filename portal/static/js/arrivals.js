/* The tablet at the door.  Each tap is kept in this browser under a key of its own until the server has it: a tap is sent again
   until it has come, and the server counts each key once.  Without scripts each card is a form that is sent with its button. */

import { codeCamera } from "./code_camera.js";

const PREFIX = "arrival:", RETRY = 1500, LONGEST_RETRY = 20000, NEWS = 20000, AT_ONCE = 40, UNDO_SECONDS = 10, MOST_FAULTS = 5;
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

/* An arrival, its undoing and another class are about one thing: of two taps about it the newer holds. */
const topic = (act) => (["arrived", "not_arrived", "class"].includes(act) ? "presence" : act);

function keep(act, more = {}) {
  const about = `${more.offer} ${topic(act)}`;
  const tap = { id: newKey(), act, at: Date.now(), turn: turn++, place: told.at, year: told.year, who: told.me, after: before.get(about), ...more };
  if (more.offer) before.set(about, tap.id);
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
  if (!answer.ok) throw Object.assign(new Error("server"), { status: answer.status });
  return answer.json();
}

async function news() {
  const seconds = Math.ceil((Date.now() - lastNews) / 1000) + 60, asked = Date.now();
  const answer = await ask(`${told.exchange}?seconds=${seconds}`);
  token = answer.token;
  lastNews = asked;
  answer.news.forEach(colleague);
}

/* Nothing waits behind what cannot be sent: taps of a kindergarten at which nobody is signed in (`foreign`), and a tap with
   which a request fails, which is then sent by itself (`alone`). */
const foreign = new Set(), alone = new Set();

function nextPart(passed) {
  const taps = waiting().filter((tap) => !passed.has(tap.id) && !passed.has(tap.place)), [first] = taps.filter((tap) => !alone.has(tap.id));
  if (first) return taps.filter((tap) => !alone.has(tap.id) && tap.place === first.place && tap.year === first.year).slice(0, AT_ONCE);
  const one = [...alone].map((id) => taps.find((tap) => tap.id === id)).find(Boolean);
  return one ? [one] : [];
}

async function sendPart(part, passed) {
  const [{ place, year }] = part, body = new URLSearchParams({ csrf_token: token, at: place, year, taps: JSON.stringify(part.map(outgoing)) });
  let taken;
  try {
    ({ taken } = await ask(told.exchange, { method: "POST", body }));
  } catch (fault) {
    if (fault.status === 404) { foreign.add(place); passed.add(place); return; }
    if (![400, 500].includes(fault.status) || passed.size >= MOST_FAULTS) throw fault;
    for (const { id } of part) { alone.delete(id); alone.add(id); }
    if (part.length === 1) passed.add(part[0].id);
    return;
  }
  foreign.delete(place);
  const come = part.filter((tap) => taken.some((each) => each.id === tap.id));
  for (const tap of part) {
    if (!come.includes(tap)) { passed.add(tap.id); continue; }
    alone.delete(tap.id);
    drop(tap.id);
  }
  const still = waiting();
  for (const tap of come) settled(tap, taken.find((each) => each.id === tap.id).kept, still);
  tell();
}

async function send() {
  if (busy) return;
  busy = true;
  clearTimeout(timer);
  const passed = new Set();
  try {
    if (!token || Date.now() - lastNews > NEWS) await news();
    for (let part = nextPart(passed); part.length; part = nextPart(passed)) await sendPart(part, passed);
    if (passed.size) token = "";
    [why, wait] = ["", passed.size ? Math.min(wait * 1.6, LONGEST_RETRY) : RETRY];
  } catch (fault) {
    why = fault.message === "session" ? "session" : "offline";
    token = "";
    wait = Math.min(wait * 1.6, LONGEST_RETRY);
  }
  busy = false;
  tell();
  timer = setTimeout(send, waiting().some((tap) => !foreign.has(tap.place)) ? wait : NEWS);
}

function outgoing({ id, act, offer, done, room, noted, at, after, who }) {
  return { id, after, who, act, offer, done, class: room, noted, waited: Math.max(Date.now() - at, 0) / 1000 };
}

addEventListener("online", () => { wait = RETRY; send(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
addEventListener("storage", tell);
addEventListener("beforeunload", (event) => { if (waiting().some((tap) => memory.has(tap.id) || !foreign.has(tap.place))) event.preventDefault(); });

function tell() {
  const taps = waiting(), n = taps.length, elsewhere = taps.filter((tap) => foreign.has(tap.place)).length;
  chip.hidden = !n;
  chip.querySelector("b").textContent = told.unsent.replace("{n}", n);
  const stored = memory.size ? told.memory : n > elsewhere ? told.offline : "";
  const other = elsewhere ? told.foreign.replace("{n}", elsewhere) : "";
  chip.querySelector("[data-why]").textContent = why === "session" ? told.session : [stored, other].filter(Boolean).join(" · ");
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

/* Where each child is as the server says, to which a card goes back when a tap about it could not take effect. */
const AWAY = { state: "confirmed" }, known = new Map();
for (const row of document.querySelectorAll("[data-offer]")) {
  const { state, offer } = row.dataset;
  known.set(offer, state === "arrived" ? { state, room: row.querySelector("[data-room]").textContent } : AWAY);
}

function put(row, { state, room }) {
  if (room) row.querySelector("[data-room]").textContent = room;
  move(row, state);
}

function learn(tap) {
  if (topic(tap.act) === "presence") known.set(tap.offer, tap.act === "not_arrived" ? AWAY : { state: "arrived", room: tap.room });
}

function show(tap, words) {
  for (const row of rows(tap.offer)) {
    if (topic(tap.act) === "presence") put(row, tap.act === "not_arrived" ? AWAY : { state: "arrived", room: tap.room });
    else paint(row, tap.act, tap.done, words.replace("{time}", clock(tap.at)), words === told.waiting);
  }
}

function settled(tap, kept, still) {
  if (!tap.offer) return;
  if (!kept) learn(tap);
  show(tap, tap.done === false ? told.undone : told.saved);
  if (kept) for (const row of rows(tap.offer)) {
    row.querySelector(".kept")?.remove();
    row.querySelector(".kid").append(Object.assign(document.createElement("p"), { className: "kept", role: "alert", textContent: told.kept.replace("{why}", kept) }));
    if (topic(tap.act) === "presence" && known.has(tap.offer)) put(row, known.get(tap.offer));
  }
  for (const each of still) if (each.offer === tap.offer && topic(each.act) === topic(tap.act)) show(each, told.waiting);
}

function colleague(news) {
  const tap = { ...news, room: news.class, at: Date.now() - news.ago * 1000 };
  learn(tap);
  if (waiting().some((own) => own.offer === tap.offer && topic(own.act) === topic(tap.act))) return;
  show(tap, told.by.replace("{name}", tap.by));
}

function move(row, state) {
  if ((row.dataset.state === "arrived") === (state === "arrived")) return;
  row.dataset.state = state;
  for (const part of row.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== (state === "arrived" ? "here" : "away");
  const form = row.querySelector("form"), unused = form?.querySelector(":scope > [data-when][hidden]");
  if (unused) form.querySelector(":scope > [data-when]:not([hidden])")?.after(unused);
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
    const input = form.elements.noted, noted = input.value.trim();
    if (noted) {
      keep("noted", { noted });
      input.value = "";
      unknown.querySelector("[data-told]").textContent = told.note.replace("{name}", () => noted);
    }
    input.focus();
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
  if (unknown.hidden || unknown.dataset.of === field.value) return;
  unknown.dataset.of = unknown.querySelector("[name=noted]").value = field.value;
  unknown.querySelector("[data-told]").textContent = "";
}

unknown.addEventListener("input", (event) => { if (event.target.value) unknown.querySelector("[data-told]").textContent = ""; });

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
