/* Shows how far a run is; the page works without it by its own refresh link. */
const card = document.querySelector("[data-progress]");
const bar = card.querySelector("progress");
const step = card.querySelector("[data-step]");
let last = "";

async function look() {
  try {
    const answer = await fetch(card.dataset.progress, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const now = await answer.json();
    if (!["waiting", "running"].includes(now.state)) { location.reload(); return; }
    if (now.of) { bar.max = now.of; bar.value = now.done; }
    if (now.step !== last) { last = now.step; step.textContent = now.step; }
  } catch { /* a lost connection: look again */ }
  setTimeout(look, 1500);
}
look();
