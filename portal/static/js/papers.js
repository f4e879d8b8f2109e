/* The papers of a family: a photo is shown as it is taken, kept, and sent by itself (ADR 42). */
import { bodyOf, lasting, shrunk } from "./kept.js";
import { add, again, forgetPhoto, send, waiting } from "./photo_queue.js";

const page = document.getElementById("papers"), words = page.dataset, status = document.getElementById("papers-say");
const limits = JSON.parse(words.limits), pictures = new Map(), sent = new Map();
const replacing = Object.assign(document.createElement("input"), { type: "file", accept: "image/*", capture: "environment", hidden: true });
document.body.append(replacing);
document.documentElement.classList.add("papers");

const sending = ({ percent, left }) => `${words.sends} ${percent}%${left ? ` · ${lasting(left, document.getElementById("kept-here").dataset)}` : ""}`;
const cardOf = (paper) => document.querySelector(`[data-paper="${CSS.escape(paper)}"]`);
const labelOf = (card) => card.querySelector("h2").textContent;
const put = (tag, more, ...inside) => { const made = Object.assign(document.createElement(tag), more); made.append(...inside); return made; };

document.addEventListener("change", (event) => {
  const card = event.target.closest("[data-paper]");
  if (!("shoot" in event.target.dataset) || !card) return;
  const files = [...event.target.files];
  event.target.value = "";
  take(card, files);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-replace]");
  if (!link) return;
  event.preventDefault();
  const card = link.closest("[data-paper]");
  replacing.onchange = () => { const files = [...replacing.files]; replacing.value = ""; take(card, files, link.dataset.replace); };
  replacing.click();
});

async function take(card, files, instead) {
  const fault = card.querySelector("[data-fault]");
  fault.hidden = true;
  for (const file of files) {
    const kind = file.type === "application/pdf" || /\.pdf$/i.test(file.name) ? "pdf" : "photo";
    if (file.size > limits[kind]) {
      fault.textContent = words.tooLarge.replace("{size}", `${Math.ceil(file.size / 2 ** 20)} MB`).replace("{most}", `${Math.floor(limits[kind] / 2 ** 20)} MB`);
      fault.hidden = false;
      continue;
    }
    await add(await shrunk(file), { send: words.send, paper: card.dataset.paper, label: labelOf(card), instead });
  }
}

document.addEventListener("photo", async ({ detail }) => {
  const { photo, state } = detail;
  if (photo && photo.send !== words.send) return;
  if (state === "held") sent.clear();
  if (state === "sends") {
    sent.set(photo.id, detail);
    const bar = document.querySelector(`[data-photo="${CSS.escape(photo.id)}"] progress`);
    if (bar) { bar.value = detail.percent; bar.closest("li").querySelector("[data-state]").textContent = sending(detail); return; }
  }
  if (state === "came") {
    const card = cardOf(photo.paper), held = card?.contains(document.activeElement);
    document.getElementById("paper-count").outerHTML = detail.head;
    if (card && detail.card) card.outerHTML = detail.card;
    if (held) cardOf(photo.paper)?.querySelector("h2").focus({ preventScroll: true });
    URL.revokeObjectURL(pictures.get(photo.id));
    pictures.delete(photo.id);
    status.textContent = words.came.replace("{paper}", photo.label);
  }
  await show();
});

/* The kept photos as tiles, before the place where the next one is taken. */
let turn = 0;

async function show() {
  const mine = ++turn, kept = (await waiting()).filter((photo) => photo.send === words.send);
  for (const photo of kept) {
    if (pictures.has(photo.id) || photo.type === "application/pdf") continue;
    const body = await bodyOf(photo.id, photo.type).catch(() => null);
    if (body) pictures.set(photo.id, URL.createObjectURL(body));
  }
  if (mine !== turn) return;
  for (const old of document.querySelectorAll("[data-photo]")) if (!kept.some((photo) => photo.id === old.dataset.photo)) old.remove();
  for (const photo of kept) {
    const place = cardOf(photo.paper)?.querySelector(".tiles .shooting");
    if (!place) continue;
    const made = tile(photo), there = document.querySelector(`[data-photo="${CSS.escape(photo.id)}"]`);
    if (there) there.replaceWith(made);
    else place.before(made);
  }
}

function tile(photo) {
  const way = photo.refused ? undefined : sent.get(photo.id);
  const picture = pictures.get(photo.id) ? put("img", { src: pictures.get(photo.id), alt: photo.label }) : put("b", { textContent: photo.type === "application/pdf" ? "PDF" : "" });
  const state = put("span", { className: "no", textContent: photo.refused ? words.stopped : way ? sending(way) : words.waits });
  state.dataset.state = "";
  const made = put("li", { className: `tile kept-tile${photo.refused ? " look" : ""}` }, put("div", { className: "im" }, picture, state));
  made.dataset.photo = photo.id;
  if (!photo.refused) {
    const bar = put("progress", { className: "fill", max: 100, value: way?.percent ?? 0 });
    bar.setAttribute("aria-label", `${words.sends} ${photo.label}`);
    made.firstChild.append(bar);
  }
  if (photo.volatile) made.append(put("p", { className: "small", textContent: words.volatile }));
  if (photo.refused) {
    if (photo.refused !== "-") made.append(put("p", { className: "small", textContent: photo.refused }));
    if (photo.late) made.append(put("p", { className: "small", textContent: words.late }));
    const retry = put("button", { type: "button", className: "btn plain small", textContent: words.again, onclick: () => again(photo.id) });
    made.append(retry, put("button", { type: "button", className: "btn quiet small", textContent: words.forget, onclick: async () => { await forgetPhoto(photo.id); await show(); } }));
  }
  return made;
}

await show();
send();
