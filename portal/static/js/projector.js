/* The screen of a hall.  It looks every few seconds and replaces only what changed, so that nothing flickers; it keeps the
   full screen from scene to scene, counts down by the server's clock, and computes the seed again from its parts. */
import { taggedHash, toHex } from "../verify/hash.js";
import { fromHex } from "../verify/sha256.js";
import { bytesOf } from "../verify/text.js";

const EVERY = 3000, PATIENCE = 8000;
const NOT_NOW = [429, 502, 503, 504]; // the portal is full or being renewed
const offline = document.getElementById("offline"), full = document.getElementById("full");
let ahead = 0, shown = "", lost = 0, asked = 0, moves = 0;

/* What the scene says, without what moves by itself. */
function said(page) {
  const copy = page.querySelector("#stage").cloneNode(true);
  for (const moving of copy.querySelectorAll("[data-clock], [data-until]")) moving.remove();
  return copy.innerHTML;
}

const two = (number) => String(number).padStart(2, "0");

function tick() {
  const now = Date.now() + ahead;
  const until = document.querySelector("[data-until]");
  if (until) {
    const left = Math.max(0, Math.ceil((Number(until.dataset.until) - now) / 1000));
    const text = `${two(Math.floor(left / 3600))}:${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`;
    if (until.textContent !== text) until.textContent = text;
  }
  if (lost) {
    const seconds = Math.round((Date.now() - lost) / 1000);
    offline.textContent = `${offline.dataset.text} ${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
  }
  offline.hidden = !lost;
}

function computeAgain() {
  const parts = document.querySelector("[data-parts]"), again = document.querySelector("[data-again]");
  if (!again || !parts.dataset.parts) return;
  const { commitment, form, beacon, ceremony } = JSON.parse(parts.dataset.parts);
  const seed = toHex(taggedHash("seed/2", fromHex(commitment), bytesOf(form), bytesOf(beacon), bytesOf(ceremony)));
  const same = seed === document.querySelector("[data-seed]").textContent.replace(/\s/g, "");
  again.textContent = `${same ? "✓" : "✕"} ${same ? again.dataset.same : again.dataset.differs}`;
  again.classList.add(same ? "same" : "differs");
}

function setClock(page) {
  ahead = Number(page.querySelector("[data-clock]").dataset.clock) - Date.now();
}

async function show(address, moved) {
  const mine = ++asked;
  if (moved) moves += 1;
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(PATIENCE) });
    if (!moved && NOT_NOW.includes(answer.status)) throw new Error(`${answer.status}`); // nobody in the hall asked for it
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== asked) return;
    if (!answer.ok || !page.querySelector("#stage")) { location.assign(address); return; }
    lost = 0;
    setClock(page);
    if (moved) history.pushState(null, "", answer.url);
    const fresh = said(page);
    if (fresh !== shown) {
      shown = fresh;
      const at = document.activeElement?.getAttribute("href");
      document.title = page.title;
      document.body.className = page.body.className;
      document.getElementById("stage").replaceWith(document.adoptNode(page.querySelector("#stage")));
      if (at) document.querySelector(`a[href="${CSS.escape(at)}"]`)?.focus();
      computeAgain();
    } else {
      document.querySelector("[data-clock]").textContent = page.querySelector("[data-clock]").textContent;
    }
  } catch {
    lost ||= Date.now(); // the last scene stays on the screen
  } finally {
    if (moved) moves -= 1;
  }
  tick();
}

function turnFull() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.().catch(() => {});
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const way = { ArrowLeft: "prev", PageUp: "prev", ArrowRight: "next", PageDown: "next" }[event.key];
  const link = way && document.querySelector(`a[rel="${way}"]`);
  if (link) { event.preventDefault(); show(link.href, true); }
  if (event.key.toLowerCase() === "f") { event.preventDefault(); turnFull(); }
});
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !link.pathname.includes("/projector/")) return;
  event.preventDefault();
  show(link.href, true);
});
addEventListener("popstate", () => show(location.href, false));

full.hidden = !document.fullscreenEnabled;
full.addEventListener("click", turnFull);
let still = 0;
addEventListener("pointermove", () => {
  document.documentElement.classList.add("moving");
  clearTimeout(still);
  still = setTimeout(() => document.documentElement.classList.remove("moving"), PATIENCE / 2);
});
document.documentElement.classList.add("calm");
setClock(document);
shown = said(document);
computeAgain();
tick();
setInterval(tick, 250);
// not while the next scene is on its way: its answer would no longer be the newest, and the key would be lost
setInterval(() => { if (!document.hidden && !moves) show(location.href, false); }, EVERY);
