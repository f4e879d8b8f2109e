/* Small help for families where scripts run; every page works without it. */

/* A detail opens when its ground is ticked. */
for (const detail of document.querySelectorAll(".detail")) {
  const box = detail.previousElementSibling?.querySelector("input[type=checkbox]");
  if (!box) continue;
  const show = () => { detail.hidden = !box.checked && !detail.querySelector(".govuk-error-message"); };
  box.addEventListener("change", show);
  show();
}

/* Streets, communities and estates of the chosen area. */
const household = document.querySelector("form[data-places]");
household?.querySelector("#home_area")?.addEventListener("change", async (event) => {
  const answer = await fetch(`${household.dataset.places}?area=${encodeURIComponent(event.target.value)}`);
  if (!answer.ok) return;
  for (const [kind, names] of Object.entries(await answer.json())) fill(`${kind}-names`, names);
});

/* A home outside the city has no street here; what that means opens with the choice. */
const homeArea = household?.querySelector("#home_area");
if (homeArea) {
  const follow = () => {
    const outside = homeArea.value === "outside";
    household.querySelector("#outside").open = outside;
    const fields = household.querySelector(".in-the-city");
    fields.hidden = outside;
    fields.inert = outside;
  };
  homeArea.addEventListener("change", follow);
  if (homeArea.value === "outside") follow();
}

/* Most live where they are registered, and have the permit of where they live: one touch says so, once the other area is chosen. */
for (const same of household?.querySelectorAll("[data-copies]") ?? []) {
  const [from, to] = same.dataset.copies.split(" ").map((id) => document.getElementById(id));
  const button = same.querySelector("button"), words = button.textContent;
  const offer = () => {
    same.hidden = !from.value || from.value === "outside" || to.value !== "" || (from.id === "home_area" && registered());
    button.textContent = words + from.selectedOptions[0].label;
  };
  for (const field of household.querySelectorAll("#hukou_area, #home_area, #residence_permit_area, [name=hukou_kind]")) field.addEventListener("change", offer);
  offer();
  button.addEventListener("click", () => {
    to.value = from.value;
    to.focus();
    for (const told of ["input", "change"]) to.dispatchEvent(new Event(told, { bubbles: true }));
  });
}

/* Who is registered in the city needs no permit of residence there. */
function registered() {
  return household.querySelector("[name=hukou_kind]:checked")?.value !== "elsewhere";
}

/* Names of kindergartens while one is typed. */
const grounds = document.querySelector("form[data-kindergartens]");
let waiting;
grounds?.addEventListener("input", (event) => {
  if (event.target.getAttribute("list") !== "kindergartens") return;
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const answer = await fetch(`${grounds.dataset.kindergartens}?q=${encodeURIComponent(event.target.value)}`);
    if (answer.ok) fill("kindergartens", (await answer.json()).names);
  }, 250);
});

function fill(id, names) {
  document.getElementById(id).replaceChildren(...names.map((name) => Object.assign(document.createElement("option"), { value: name })));
}

/* The place of the home, where the phone tells it. */
const locate = document.querySelector("[data-locate]");
if (locate && navigator.geolocation) {
  locate.hidden = false;
  const told = locate.querySelector("[role=status]");
  locate.querySelector("button").addEventListener("click", () => navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      document.getElementById("home_longitude").value = coords.longitude.toFixed(6);
      document.getElementById("home_latitude").value = coords.latitude.toFixed(6);
      told.textContent = told.dataset.found;
    },
    () => { told.textContent = told.dataset.failed; },
    { timeout: 10000 },
  ));
}

/* A photo that was chosen but not sent would be lost by going on: say so, once. */
const unsent = document.getElementById("unsent");
document.querySelector(".sticky a")?.addEventListener("click", (event) => {
  const chosen = [...document.querySelectorAll("form[data-photos]")].find((form) => form.querySelector("input[type=file]").files.length);
  if (!unsent || !chosen || !unsent.hidden) return;
  event.preventDefault();
  unsent.textContent = chosen.dataset.unsent;
  unsent.hidden = false;
  chosen.scrollIntoView({ block: "center" });
  chosen.querySelector("button").focus({ preventScroll: true });
});

/* What was typed but not saved would be lost by leaving: say so, once.  A page that came back with faults is not saved either. */
const unsaved = document.getElementById("unsaved");
if (unsaved) {
  const form = unsaved.closest("form");
  const typed = () => JSON.stringify([...new FormData(form)]);
  const saved = document.querySelector(".govuk-error-summary, [data-newer]") ? null : typed();
  let leaving = false;
  form.addEventListener("submit", () => { leaving = true; });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    /* the ways on that a refusal offers: what was typed cannot be saved there */
    if (link && ("signIn" in link.dataset || form.dataset.leaves || link.closest("[data-way-on]"))) { leaving = true; return; }
    if (!link || link.target || link.getAttribute("href").startsWith("#") || typed() === saved) return;
    if (!unsaved.hidden) { leaving = true; return; }
    event.preventDefault();
    unsaved.hidden = false;
    unsaved.scrollIntoView({ block: "center" });
    unsaved.focus({ preventScroll: true });
  });
  addEventListener("beforeunload", (event) => { if (!leaving && !form.dataset.forgets && typed() !== saved) event.preventDefault(); });
}

for (const print of document.querySelectorAll("[data-print]")) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}

/* A page that answers a form becomes a page that can be opened again: otherwise Back shows the browser's own fault page
   (ERR_CACHE_MISS) instead of the form, because nothing of a family is kept in the browser's store. */
if (document.querySelector("form[method=post]:not([action])")) history.replaceState(history.state, "", location.href);
