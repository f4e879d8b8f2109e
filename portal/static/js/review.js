/* Keys of the review page.  Every key does what a visible button or link does; without scripts those do it alone. */
const papers = document.querySelector("[data-papers]");
const keys = document.getElementById("keys");
const wanted = document.getElementById("keys-on");
let shown = 0;

/* Single keys can be switched off, for people who dictate or whose keys slip. */
if (wanted) {
  wanted.checked = localStorage.getItem("keys") !== "off";
  wanted.addEventListener("change", () => localStorage.setItem("keys", wanted.checked ? "on" : "off"));
}

function nextPaper() {
  const sheets = papers ? papers.querySelectorAll("figure") : [];
  if (!sheets.length) return;
  shown = (shown + 1) % sheets.length;
  papers.scrollTo({ top: sheets[shown].offsetTop - papers.offsetTop });
}

function turn() {
  const image = papers && papers.querySelectorAll("figure")[shown]?.querySelector("img");
  if (!image) return;
  const turns = (Number(image.dataset.turns || 0) + 1) % 4;
  image.classList.remove("turn-1", "turn-2", "turn-3");
  if (turns) image.classList.add(`turn-${turns}`);
  image.dataset.turns = turns;
}

const acts = {
  n: nextPaper,
  r: turn,
  z: () => papers?.classList.toggle("zoom"),
  "?": () => { if (keys) { keys.open = !keys.open; keys.querySelector("summary").focus(); } },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
  if (wanted && !wanted.checked) return;
  if (event.target.closest("input:not([type=radio]), textarea, select")) return;
  const key = event.key.toLowerCase();
  const button = /^[ab]$/.test(key) && document.querySelector(`[data-key="${key}"]`);
  if (button) { event.preventDefault(); button.click(); return; }
  if (acts[key]) { event.preventDefault(); acts[key](); }
});
