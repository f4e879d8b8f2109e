/* Photos on their way: each is an act with a key of its own, sent until an answer names it (ADR 42). */
import { all, ask, bodyOf, drop, keep, newKey, one } from "./kept.js";

const PREFIX = "photo:", WAITS = [2, 5, 15, 30], STALLED = 30000;
let busy = false, tries = 0, timer, behind = { count: 0, size: 0 };

function say(photo, state, more = {}) {
  document.dispatchEvent(new CustomEvent("photo", { detail: { photo, state, ...more } }));
}

export const waiting = () => all(PREFIX);

/* `photo`: send (address), paper (code), label (to read), instead (id of the replaced page). */
export async function add(file, photo) {
  const id = PREFIX + newKey();
  const head = { ...photo, at: Date.now(), name: file.name || "photo.jpg", type: file.type, size: file.size, key: id.slice(PREFIX.length) };
  const stored = await keep(id, head, file);
  behind.count += 1;
  behind.size += file.size;
  say({ ...head, id, volatile: !stored }, "waits");
  send();
}

export async function again(id) {
  const photo = await one(id);
  if (!photo) return;
  delete photo.refused;
  await keep(id, photo);
  say(photo, "waits");
  send();
}

export async function forgetPhoto(id) {
  await drop(id);
}

export async function send() {
  if (busy) return;
  busy = true;
  clearTimeout(timer);
  let why = "";
  try {
    for (let photo = await next(); photo && !why; photo = await next()) why = await deliver(photo);
  } finally {
    busy = false;
  }
  if (!why) { tries = 0; return; }
  say(null, "held", { why });
  if (why !== "session") timer = setTimeout(send, 1000 * WAITS[Math.min(tries++, WAITS.length - 1)]);
}

async function next() {
  const [first, ...others] = (await waiting()).filter((photo) => !photo.refused);
  behind = { count: others.length, size: others.reduce((sum, photo) => sum + photo.size, 0) };
  return first;
}

/* "" when the photo has come or was refused for good; otherwise why nothing can be sent now. */
async function deliver(photo) {
  const { why, token } = await ask();
  if (why) return why;
  const body = await bodyOf(photo.id, photo.type);
  if (!body) { await drop(photo.id); return ""; }
  const form = new FormData();
  for (const [name, value] of Object.entries({ csrf_token: token, idempotency_key: photo.key, document: photo.paper, instead_of: photo.instead ?? "" })) form.append(name, value);
  form.append("pages", body, photo.name);
  const answer = await post(photo, form);
  if (!answer.status || answer.status >= 500) return navigator.onLine ? "server" : "network";
  if (answer.said?.card !== undefined) {
    await drop(photo.id);
    await keep(`sent:evidence:${photo.key}`, { label: photo.label, at: Date.now() });
    say(photo, "came", answer.said);
    return "";
  }
  if (answer.status < 400) return (await ask()).why || "server"; /* a page and no answer of ours: signed out meanwhile */
  const refused = answer.said?.refused ?? "-";
  await keep(photo.id, { ...photo, refused, late: Boolean(answer.said?.late) });
  say({ ...photo, refused, late: Boolean(answer.said?.late) }, "refused");
  return "";
}

function post(photo, form) {
  const way = pace(photo.size), tell = (event) => say(photo, "sends", way.at(event, behind));
  return new Promise((done) => {
    const xhr = new XMLHttpRequest();
    let stalled = setTimeout(() => xhr.abort(), STALLED);
    const moved = () => { clearTimeout(stalled); stalled = setTimeout(() => xhr.abort(), STALLED); };
    xhr.upload.onprogress = (event) => { moved(); if (event.lengthComputable) tell(event); };
    xhr.onprogress = moved;
    xhr.onloadend = () => {
      clearTimeout(stalled);
      if (xhr.status) way.came();
      let said = null;
      try { said = JSON.parse(xhr.responseText); } catch { /* a page, or nothing */ }
      done({ status: xhr.status, said });
    };
    xhr.open("POST", photo.send);
    xhr.setRequestHeader("Accept", "application/json");
    tell({ loaded: 0, total: photo.size });
    xhr.send(form);
  });
}

addEventListener("online", () => { tries = 0; send(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });

/* How far an upload is, and how long it and all that waits `behind` it still take: by what went in the last seconds, at the end by the
   upload before it. The first bytes only fill the phone's own buffer, so they are no measure of the line; an upload that came is. */
const LOOKS_BACK = 5000;
let known = 0;

function pace(size) {
  const began = Date.now(), marks = [];
  return {
    at({ loaded, total }, behind) {
      const now = Date.now();
      if (loaded) marks.push([now, loaded]);
      while (marks.length > 2 && now - marks[0][0] > LOOKS_BACK) marks.shift();
      const [since, from] = marks[0] ?? [now, 0], sends = loaded < total && now - since >= 1000;
      const rate = sends ? (1000 * (loaded - from)) / (now - since) : known;
      const rest = loaded < total ? total - loaded : Math.max(0, total - (rate * (now - began)) / 1000);
      const left = (bytes) => (rate ? bytes / rate : null);
      return { percent: Math.round((100 * loaded) / total), left: left(rest), all: left(rest + behind.size), count: behind.count + 1 };
    },
    came() { known = (1000 * size) / Math.max(1, Date.now() - began); },
  };
}
