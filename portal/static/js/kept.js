/* What a phone keeps until the server has it: typed text and photos, sealed for one account, for seven days at most.

   The seal needs two halves. One is a key in this browser that no script can read out; the other is a secret of the account that
   the server writes into its pages. So another account on the same phone cannot open what lies here, nor can who copies the
   storage. A browser that refuses to store anything, as in a private window, still has the memory of the page. */

const SEVEN_DAYS = 7 * 24 * 3600 * 1000, PATIENCE = 8000;
const told = document.querySelector("meta[name=draft-owner]");
export const owner = told?.content ?? "";

const memory = new Map();
let opened, forgotten = false;

const bytes = (text) => new TextEncoder().encode(text);
const full = (id) => `${owner}:${id}`;

function request(asked) {
  return new Promise((done, fail) => { asked.onsuccess = () => done(asked.result); asked.onerror = () => fail(asked.error); });
}

/* Runs `act` on the stores in one transaction; what it returned is there when the transaction is. */
function within(db, stores, mode, act) {
  return new Promise((done, fail) => {
    const transaction = db.transaction(stores, mode);
    const result = act(...stores.map((name) => transaction.objectStore(name)));
    transaction.oncomplete = () => done(result instanceof IDBRequest ? result.result : result);
    transaction.onabort = transaction.onerror = () => fail(transaction.error);
  });
}

function database() {
  const asked = indexedDB.open("kept", 1);
  asked.onupgradeneeded = () => {
    asked.result.createObjectStore("keys");
    asked.result.createObjectStore("heads", { keyPath: "id" });
    asked.result.createObjectStore("bodies");
  };
  return request(asked);
}

async function begin() {
  if (!owner || !crypto.subtle) return null;
  const db = await database();
  db.onversionchange = () => db.close();
  const fresh = await crypto.subtle.importKey("raw", crypto.getRandomValues(new Uint8Array(32)), "HKDF", false, ["deriveKey"]);
  const base = await new Promise((done, fail) => {
    const transaction = db.transaction("keys", "readwrite"), keys = transaction.objectStore("keys"), known = keys.get(owner);
    let chosen = fresh;
    known.onsuccess = () => { if (known.result) chosen = known.result; else keys.put(fresh, owner); };
    transaction.oncomplete = () => done(chosen);
    transaction.onabort = transaction.onerror = () => fail(transaction.error);
  });
  const how = { name: "HKDF", hash: "SHA-256", salt: bytes(told.dataset.secret), info: bytes("kept") };
  const key = await crypto.subtle.deriveKey(how, base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  await sweep(db);
  return { db, key };
}

/* Older than seven days: gone, whoever's it is. A clock that was ahead makes nothing older than it is. */
async function sweep(db) {
  const now = Date.now();
  for (const head of await within(db, ["heads"], "readonly", (heads) => heads.getAll())) {
    if (head.at > now) await within(db, ["heads"], "readwrite", (heads) => heads.put({ ...head, at: now }));
    else if (now - head.at > SEVEN_DAYS) await remove(db, head.id);
  }
}

function remove(db, id) {
  return within(db, ["heads", "bodies"], "readwrite", (heads, bodies) => { heads.delete(id); bodies.delete(id); });
}

function open() {
  opened ??= begin().catch(() => null);
  return opened;
}

async function seal(key, id, content) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return { iv, data: await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: bytes(id) }, key, content) };
}

function unseal(key, id, { iv, data }) {
  return crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: bytes(id) }, key, data);
}

/* Keeps something under its id; false if only the memory of this page has it. Without `body` an earlier body stays. */
export async function keep(id, head, body) {
  if (forgotten || !owner) return false;
  const name = full(id), at = head.at ?? Date.now(), here = await open();
  try {
    if (!here) throw new Error("no storage");
    const sealed = { id: name, at, ...await seal(here.key, name, bytes(JSON.stringify(head))) };
    const closed = body && await seal(here.key, name, await body.arrayBuffer());
    if (forgotten) return false;
    await within(here.db, ["heads", "bodies"], "readwrite", (heads, bodies) => { heads.put(sealed); if (closed) bodies.put(closed, name); });
    memory.delete(id);
    keepThePage();
    return true;
  } catch {
    memory.set(id, { at, head, body: body ?? memory.get(id)?.body });
    return false;
  }
}

/* Once something waits here, the page that tells of it is kept too, for a dead line (ADR 62). */
let asked = false;
function keepThePage() {
  if (asked || !told?.dataset.worker || !navigator.serviceWorker) return;
  asked = true;
  navigator.serviceWorker.register(told.dataset.worker).catch(() => {});
}

/* What lies here for any account, by its kind, its time and its size alone: what it says is sealed. */
export async function inventory() {
  const db = await database().catch(() => null);
  if (!db) return [];
  await sweep(db);
  const heads = await within(db, ["heads"], "readonly", (store) => store.getAll()).catch(() => []), found = [];
  for (const { id, at } of heads) {
    const body = await within(db, ["bodies"], "readonly", (store) => store.get(id));
    found.push({ id: id.slice(id.indexOf(":") + 1), at, size: body?.data.byteLength });
  }
  return found.sort((one, other) => one.at - other.at);
}

/* What is kept for this account under a beginning of ids, the oldest first. */
export async function all(prefix) {
  const here = await open(), found = [];
  const from = full(prefix);
  const heads = here ? await within(here.db, ["heads"], "readonly", (store) => store.getAll(IDBKeyRange.bound(from, `${from}\uffff`))).catch(() => []) : [];
  for (const head of heads) {
    try {
      const text = new TextDecoder().decode(await unseal(here.key, head.id, head));
      found.push({ ...JSON.parse(text), at: head.at, id: head.id.slice(owner.length + 1) });
    } catch { /* sealed under a secret that is no longer the account's */ }
  }
  for (const [id, { at, head }] of memory) if (id.startsWith(prefix)) found.push({ ...head, at, id, volatile: true });
  return found.sort((one, other) => one.at - other.at);
}

export async function one(id) {
  return (await all(id)).find((each) => each.id === id) ?? null;
}

export async function bodyOf(id, type) {
  if (memory.get(id)?.body) return memory.get(id).body;
  const here = await open(), name = full(id);
  const sealed = here && await within(here.db, ["bodies"], "readonly", (bodies) => bodies.get(name));
  return sealed ? new Blob([await unseal(here.key, name, sealed)], { type }) : null;
}

export async function drop(id) {
  memory.delete(id);
  const here = await open();
  if (here) await remove(here.db, full(id)).catch(() => {});
}

/* Whoever signs out leaves nothing behind: all of the account and its half of the key; on a page that does not know the account, everything. */
export async function wipe() {
  forgotten = true;
  memory.clear();
  const db = (await open())?.db ?? await database().catch(() => null);
  if (!db) return;
  await within(db, ["keys", "heads", "bodies"], "readwrite", (keys, heads, bodies) => {
    if (!owner) { keys.clear(); heads.clear(); bodies.clear(); return; }
    const range = IDBKeyRange.bound(`${owner}:`, `${owner}:\uffff`);
    keys.delete(owner);
    heads.delete(range);
    bodies.delete(range);
  });
}

/* Deletes what is kept, and goes on keeping. */
export async function forget() {
  for (const each of await all("")) await drop(each.id);
}

/* "network", "server", "session" or "" when all is well; which keys have arrived; and a token for the next form. */
export async function ask(keys = []) {
  const query = new URLSearchParams(keys.map((key) => ["key", key]));
  let answer;
  try {
    answer = await fetch(`/drafts/state?${query}`, { cache: "no-store", signal: AbortSignal.timeout?.(PATIENCE) });
  } catch {
    return { why: navigator.onLine ? "server" : "network", arrived: [] };
  }
  if (!answer.ok) return { why: "server", arrived: [] };
  const state = await answer.json().catch(() => null);
  if (!state) return { why: "server", arrived: [] };
  return { why: owner && state.owner !== owner ? "session" : "", arrived: state.arrived, token: state.token };
}

/* Typed text that has arrived goes. Every page of the family asks, because a saved page may lead to one without a form. */
export async function dropArrived() {
  const sent = (await all("draft:")).filter((draft) => draft.key);
  if (!sent.length) return;
  const { arrived } = await ask(sent.map((draft) => draft.key));
  for (const draft of sent) {
    if (!arrived.includes(draft.key)) continue;
    await drop(draft.id);
    await keep(`sent:${draft.id.split("#")[0].split("/").at(-1)}:${draft.key}`, { label: draft.label, at: Date.now() });
  }
}

export function clock(at) {
  return new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

/* "about 20 s": how long something still takes, in the words of the page (`seconds` and `minutes`, each with {n}); coarse, because a line is. */
export function lasting(seconds, words) {
  if (seconds === undefined || seconds === null) return "";
  return seconds <= 50 ? words.seconds.replace("{n}", Math.max(5, 5 * Math.ceil(seconds / 5))) : words.minutes.replace("{n}", Math.ceil(seconds / 60));
}

/* "1.8 MB" */
export function weight(size) {
  return size < 1e5 ? `${Math.ceil(size / 1000)} KB` : `${(size / 2 ** 20).toFixed(1)} MB`;
}

export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");
}

/* A photo as small as a slow connection carries it, before it is kept or sent. The server does it again. Here, because every page of
   a family has this module: a module of its own would cost the page of the papers a kilobyte of headers. */
const LONGEST = 1600;
export async function shrunk(file) {
  if (!file.type.startsWith("image/") || file.size < 700000) return file;
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
    const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    return blob && blob.size < file.size ? new File([blob], file.name.replace(/\.\w+$/, ".jpg"), { type: "image/jpeg" }) : file;
  } catch {
    return file; /* a format that this browser cannot read: the server can */
  }
}
