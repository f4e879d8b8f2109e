/* The page without a network. The worker's copy of it knows no account, so it tells what is kept by its kind and its time alone; the page
   that the server gives to a signed-in family opens its own and leads to each page. */
import { all, clock, dropArrived, forget, inventory, lasting, owner, weight, wipe } from "./kept.js";

const RETRY_SECONDS = 30, PATIENCE = 8000, PAGE = "/offline";
const line = document.getElementById("line-state"), box = document.getElementById("on-this-phone"), told = document.getElementById("next-try");
const tryNow = document.getElementById("try-now"), goOn = document.getElementById("go-on"), signIn = document.getElementById("sign-in"), names = JSON.parse(box.dataset.pages);
const photoEvents = { sends: underWay, came, refused: tellAgain, held: ({ why }) => show(why === "network" ? "kept" : why) };
let left = 0, busy = false, waiting = 0, toSend = 0;

/* "draft:/parents/applications/…/household" is the page of the hukou and the home. */
function named(id) {
  const parts = id.split("#")[0].split("/");
  return names[parts.at(-1) === "new" ? parts.at(-2) : parts.at(-1)] ?? box.dataset.other;
}

function item({ name, href, size, kind, at }) {
  const row = document.createElement("li"), title = Object.assign(document.createElement(href ? "a" : "span"), { textContent: name });
  if (href) title.href = href;
  row.dataset.kind = kind ?? "";
  row.append(title, Object.assign(document.createElement("small"), { textContent: size ? weight(size) : "" }), Object.assign(document.createElement("span"), { className: "num", textContent: clock(at) }));
  return row;
}

function fill(list, items) {
  const part = box.querySelector(`[data-list=${list}]`);
  part.hidden = !items.length;
  part.querySelector("[data-count]").textContent = box.dataset.items.replace("{n}", items.reduce((sum, each) => sum + (each.n ?? 1), 0));
  part.querySelector("ul").replaceChildren(...items.map(item));
}

/* All photos are one line; where the page knows them, it leads to their papers. */
const photos = (found) => found.length
  ? [{ kind: "photos", href: found[0].send?.replace(/\/photos$/, ""), name: box.dataset.photos.replace("{n}", found.length), n: found.length, size: found.reduce((sum, each) => sum + (each.size ?? 0), 0), at: Math.max(...found.map((each) => each.at)) }] : [];

async function tell() {
  const mine = owner ? await all("") : (await inventory()).map((each) => ({ ...each, label: each.id.startsWith("draft:") ? named(each.id) : "" }));
  const of = (kind) => mine.filter((each) => each.id.startsWith(kind));
  const waits = [...of("draft:").map((each) => ({ name: each.label || named(each.id), href: each.page, at: each.at })), ...photos(of("photo:"))];
  const sent = of("sent:").map((each) => ({ name: each.label || names[each.id.split(":")[1]] || box.dataset.other, at: each.at }));
  waiting = waits.length;
  toSend = of("photo:").filter((each) => !each.refused).length;
  fill("waits", waits);
  fill("sent", sent.slice(-5));
  box.hidden = !waits.length && !sent.length;
  document.querySelector("[data-wipe]").hidden = !mine.length;
}

function show(state) {
  for (const each of line.querySelectorAll("[data-line]")) each.hidden = !each.dataset.line.split(" ").includes(state);
  const back = state.startsWith("back");
  line.classList.toggle("connected", back);
  tryNow.hidden = back || state === "session";
  signIn.hidden = state !== "session";
  goOn.hidden = !back;
  told.hidden = tryNow.hidden;
}

/* A phone that is in a network without a way out believes that it is on line, so only an answer counts. */
async function whyNot() {
  try {
    const answer = await fetch("/drafts/state", { cache: "no-store", signal: AbortSignal.timeout?.(PATIENCE) });
    if (!answer.ok) return "server";
    return owner && (await answer.json()).owner !== owner ? "session" : "";
  } catch {
    return "network";
  }
}

async function look() {
  if (busy) return;
  busy = true;
  const why = await whyNot();
  busy = false;
  if (why === "network") show(waiting ? "kept" : "empty");
  else if (why) show(why);
  left = RETRY_SECONDS;
  if (why) return;
  /* this page stands in place of the one that was asked for: that one comes now */
  if (location.pathname !== PAGE) { show("back"); location.reload(); return; }
  if (owner) await dropArrived();
  await tellAgain();
  if (owner && toSend) (await import("./photo_queue.js")).send();
}

/* The line is back: what is under way, what still has to be opened and saved, or that all has come. */
function settle() {
  show(toSend && owner ? "back-sends" : waiting ? "back-kept" : line.dataset.came ? "back-all" : "back");
}

function underWay({ percent, all: rest }) {
  const size = box.querySelector("[data-kind=photos] small"), time = lasting(rest, box.dataset);
  if (size) size.textContent = time ? `${percent}% · ${time}` : `${percent}%`;
}

async function came() {
  line.dataset.came = clock(Date.now());
  line.querySelector("[data-when]").textContent = line.dataset.came;
  await tellAgain();
}

async function tellAgain() {
  await tell();
  settle();
}

setInterval(() => {
  if (tryNow.hidden || busy) return;
  told.textContent = told.dataset.retry.replace("{n}", left);
  if (left-- <= 0) look();
}, 1000);

for (const button of document.querySelectorAll("[data-forget-all]")) button.addEventListener("click", async () => { await (owner ? forget() : wipe()); location.reload(); });
document.addEventListener("photo", ({ detail }) => photoEvents[detail.state]?.(detail));
tryNow.addEventListener("click", look);
addEventListener("online", look);
addEventListener("offline", look);
await tell();
await look();
