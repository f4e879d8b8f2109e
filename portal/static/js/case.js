/* The page of one application: keys for facts and verdicts, the tier for what is chosen, and the viewer of papers.
   Without scripts radio buttons, links and "count again" do the same. */
import { onKeys, withKey } from "./keys.js";

const form = document.getElementById("facts");
const facts = [...document.querySelectorAll(".fact[data-fact]")];
let at = 0;

/* Facts */

function judge(step, { move = true } = {}) {
  if (!facts.length) return;
  facts[at].classList.remove("on");
  at = Math.max(0, Math.min(facts.length - 1, at + step));
  facts[at].classList.add("on");
  if (move) {
    facts[at].scrollIntoView({ block: "nearest" });
    if (facts[at].dataset.firstPage) viewer?.show(facts[at].dataset.firstPage);
  }
}

function pick(digit) {
  const radio = facts[at]?.querySelector(`[data-digit="${digit}"]`);
  if (!radio) return false;
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

/* The tier of the verdicts as they stand */

let asked = 0;

async function preview() {
  const place = document.querySelector("[data-tiers]");
  if (!form || !place || !document.querySelector("[data-confirm]")) return;
  const mine = ++asked;
  const answer = await fetch(form.dataset.preview, { method: "POST", body: new FormData(form), redirect: "manual" }).catch(() => null);
  const cards = answer?.ok ? await answer.text().catch(() => null) : null;
  if (mine !== asked) return;
  document.querySelector("[data-tiers-old]").hidden = cards !== null;
  if (cards !== null) place.innerHTML = cards;
}

function returning() {
  const back = Boolean(form?.querySelector("input[value=return]:checked"));
  document.querySelector("[data-confirm]")?.classList.toggle("returns", back);
  return back;
}

/* The button that ends the review names what is still open, and leads there. */

const confirming = document.querySelector("[data-confirm]"), confirmWords = confirming?.firstElementChild.textContent;

function open() {
  return returning() ? [] : facts.filter((each) => each.querySelector("[type=radio]") && !each.querySelector("[type=radio]:checked"));
}

function tellOpen() {
  const left = open();
  if (!confirming) return;
  const fact = left[0]?.querySelector(".fact-name")?.textContent ?? "";
  confirming.firstElementChild.textContent = left.length ? confirming.dataset.open.replace("{n}", left.length).replace("{fact}", fact) : confirmWords;
}

confirming?.addEventListener("click", (event) => {
  const left = open();
  if (!left.length) return;
  event.preventDefault();
  judge(facts.indexOf(left[0]) - at);
  left[0].querySelector("[type=radio]").focus();
});

form?.addEventListener("change", (event) => {
  tellOpen();
  const fact = event.target.closest(".fact[data-fact]");
  if (fact) judge(facts.indexOf(fact) - at, { move: false });
  returning();
  preview();
});
for (const each of document.querySelectorAll("[data-without-script]")) each.hidden = true;

/* Papers */

class Viewer {
  constructor(root) {
    this.root = root;
    this.links = [...root.querySelectorAll(".thumbs a")];
    this.sheet = root.querySelector("[data-sheet]");
    this.pdf = root.querySelector("[data-pdf]");
    this.at = Math.max(0, this.links.findIndex((link) => link.getAttribute("aria-current")));
    this.zoom = Number(sessionStorage.getItem("zoom") || 100);
    this.turns = 0;
    for (const each of root.querySelectorAll("[hidden][data-do], [data-zoom]")) each.hidden = false;
    root.addEventListener("click", (event) => this.clicked(event));
    new ResizeObserver(() => this.fit()).observe(root.querySelector("[data-pane]"));
    this.open(this.at);
  }

  clicked(event) {
    const button = event.target.closest("[data-do]");
    const link = event.target.closest(".thumbs a");
    if (button) this[button.dataset.do]();
    else if (link && !event.ctrlKey && !event.metaKey) { event.preventDefault(); this.open(this.links.indexOf(link)); }
  }

  show(page) {
    const found = this.links.findIndex((link) => link.dataset.page === page);
    if (found >= 0 && found !== this.at) this.open(found);
  }

  open(place) {
    if (!this.links.length) return;
    const changed = place !== this.at;
    this.links[this.at].removeAttribute("aria-current");
    this.at = place;
    const link = this.links[place];
    link.setAttribute("aria-current", "true");
    link.scrollIntoView({ block: "nearest" });
    this.root.querySelector("[data-title]").textContent = link.dataset.name;
    this.root.querySelector("[data-count]").textContent = `${place + 1} / ${this.links.length}`;
    this.root.querySelector("[data-whole]").href = link.dataset.address;
    const isPdf = "file" in link.dataset;
    this.sheet.hidden = isPdf;
    this.pdf.hidden = !isPdf;
    this.pdf.querySelector("a").href = link.dataset.address;
    if (isPdf) return;
    let image = this.sheet.querySelector("img");
    if (!image || changed) {
      image = document.createElement("img");
      image.alt = link.textContent.trim();
      image.src = link.dataset.address;
      this.sheet.replaceChildren(image);
      this.turns = 0;
    }
    if (image.complete) this.fit();
    image.addEventListener("load", () => this.fit());
  }

  /* The box takes the size of the turned page, so that nothing is cut off. */
  fit() {
    const image = this.sheet.querySelector("img");
    const pane = this.root.querySelector("[data-pane]");
    if (!image?.naturalWidth) return;
    const lies = this.turns % 2 === 1;
    const ratio = image.naturalHeight / image.naturalWidth;
    const outside = ((pane.clientWidth - 24) * this.zoom) / 100;
    const width = lies ? outside / ratio : outside;
    const height = width * ratio;
    image.style.width = `${width}px`;
    image.style.height = `${height}px`;
    this.sheet.style.width = `${lies ? height : width}px`;
    this.sheet.style.height = `${lies ? width : height}px`;
    const moved = [["0", "0"], [`${height}px`, "0"], [`${width}px`, `${height}px`], ["0", `${width}px`]][this.turns];
    image.style.transformOrigin = "0 0";
    image.style.transform = `translate(${moved[0]}, ${moved[1]}) rotate(${this.turns * 90}deg)`;
    this.root.querySelector("[data-zoom]").textContent = `${this.zoom}%`;
  }

  size(zoom) {
    this.zoom = Math.max(50, Math.min(300, zoom));
    sessionStorage.setItem("zoom", this.zoom);
    this.fit();
  }

  larger() { this.size(this.zoom + 25); }
  smaller() { this.size(this.zoom - 25); }
  turn() { this.turns = (this.turns + 1) % 4; this.fit(); }
  next() { this.open((this.at + 1) % this.links.length); }
  previous() { this.open((this.at - 1 + this.links.length) % this.links.length); }
}

const root = document.querySelector("[data-viewer]");
const viewer = root?.querySelector(".thumbs") ? new Viewer(root) : null;
for (const link of document.querySelectorAll(".fact [data-page]")) {
  link.addEventListener("click", (event) => { if (viewer) { event.preventDefault(); viewer.show(link.dataset.page); } });
}
if (facts.length) facts[0].classList.add("on");
returning();
tellOpen();

onKeys((key, event) => {
  if (/^[1-5]$/.test(key)) return pick(key);
  if (key === "j") judge(1);
  else if (key === "k") judge(-1);
  else if (key === "Enter") {
    if (event.target.closest("a, button, summary")) return false;
    withKey("Enter")?.click();
  } else if (key === "[") viewer?.previous();
  else if (key === "]") viewer?.next();
  else if (key === "+" || key === "=") viewer?.larger();
  else if (key === "-") viewer?.smaller();
  else if (key === "t") viewer?.turn();
  else if (key === "r" && returning() && form) form.requestSubmit();
  else if (/^[rnp]$/.test(key)) withKey(key)?.click();
  else return false;
  return true;
});
