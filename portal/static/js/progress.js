/* Shows how far a run is; the page works without it by its own refresh link. */
const card = document.querySelector("[data-progress]");
const bar = card.querySelector("progress");
const step = card.querySelector("[data-step]");
const SOON = 1500, PATIENCE = 10_000;
const NOT_NOW = [429, 502, 503, 504]; // the portal is full or being renewed: the work goes on
let last = "";

/* Where the page said at first that the work goes on, it is read again when that is over, and when its reader is not signed in. */
async function look() {
  try {
    const answer = await fetch(card.dataset.progress, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE) });
    if (answer.redirected) { location.reload(); return; }
    if (answer.ok) {
      const now = await answer.json();
      if (!["waiting", "running"].includes(now.state)) { location.reload(); return; }
      if (now.of) { bar.max = now.of; bar.value = now.done; }
      if (now.step !== last) { last = now.step; step.textContent = now.step; }
    } else if (!NOT_NOW.includes(answer.status)) return;
  } catch { /* a lost connection: look again */ }
  setTimeout(look, SOON);
}
look();
