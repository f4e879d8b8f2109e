/* The page around the check: chooses the file, shows how far it is and what came out. */

const find = (id) => document.getElementById(id);
const card = find("verify");
const words = Object.fromEntries(
  [...find("words").content.querySelectorAll("[data-word]")].map((each) => [each.dataset.word, each.textContent]),
);
let worker = null;

function say(word, values = {}) {
  return Object.entries(values).reduce((text, [key, value]) => text.replace(`{${key}}`, value), words[word] || word);
}

function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function begin(bytes) {
  if (worker) worker.terminate();
  find("verdict").replaceChildren();
  find("decided").replaceChildren();
  find("mine").hidden = true;
  find("running").hidden = false;
  worker = new Worker(card.dataset.worker, { type: "module" });
  worker.addEventListener("message", ({ data }) => hear(data));
  worker.addEventListener("error", () => hear({ error: "worker" }));
  worker.postMessage({ bytes }, [bytes]);
}

function hear(data) {
  if (data.step) return progress(data);
  if ("found" in data) return show(data.found);
  find("running").hidden = true;
  if (data.error) return says("stop", say("broken", { n: data.error }));
  return report(data);
}

function progress({ step, done, of }) {
  find("step").textContent = say(step) + (of ? ` ${done.toLocaleString()} / ${of.toLocaleString()}` : "");
  const bar = find("bar");
  if (of) { bar.max = of; bar.value = done; } else bar.removeAttribute("value");
}

function says(tone, text) {
  const box = element("div", "", `says ${tone}`);
  box.append(element("p", text));
  find("verdict").replaceChildren(box);
}

function report({ steps, children }) {
  const good = steps.every(({ ok }) => ok);
  says(good ? "ok" : "stop", good ? say("all_good", { n: children.toLocaleString() }) : say("not_good"));
  const list = element("ul", "", "proof");
  for (const { step, ok, detail } of steps) {
    const row = element("li", "", "");
    const where = !ok && /^\d+$/.test(detail) ? say("at_line", { n: detail }) : say(ok ? "same" : "different");
    row.append(element("span", say(step)), element("b", where, ok ? "ok" : "wrong"));
    list.append(row);
  }
  find("verdict").append(list);
  find("mine").hidden = false;
}

function show(found) {
  const place = find("decided");
  if (!found) return place.replaceChildren(element("p", say("nobody")));
  const list = element("ol", "", "decided");
  for (const wish of found.wishes) list.append(oneWish(wish, found.ticket));
  place.replaceChildren(element("p", say(found.bound > 1 ? "own_bound" : "own", { n: found.ticket.toLocaleString() })), list);
  return undefined;
}

function oneWish(wish, ticket) {
  const row = element("li");
  const head = element("p");
  head.append(
    element("b", `${say("wish", { n: wish.rank })} `), element("span", wish.programme, "code"),
    element("span", ` · ${say(`reason_${wish.reason}`)}`),
  );
  row.append(head, element("p", say("standing", { tier: wish.tier + 1, ticket: ticket.toLocaleString() }), "small"));
  if (wish.reason === "placed_higher") return row;
  for (const pool of wish.pools) {
    const name = wish.pools.length > 1 ? `${pool.name}：` : "";
    row.append(element("p", name + lineOf(pool), "small soft"));
    if (wish.reason === "placed" && pool.name === wish.pool) break;
  }
  return row;
}

function lineOf(pool) {
  if (pool.state === "all") return say("everybody");
  if (pool.state === "none") return say("nothing");
  if (!pool.mine && pool.eligible) return say("not_asked");
  return say("line", { tier: pool.tier + 1, ticket: pool.ticket.toLocaleString() });
}

async function published() {
  find("running").hidden = false;
  progress({ step: "opening" });
  try {
    const answer = await fetch(card.dataset.bundle);
    if (!answer.ok) throw new Error(answer.statusText);
    begin(await answer.arrayBuffer());
  } catch {
    find("running").hidden = true;
    says("warn", say("unreachable"));
  }
}

card.hidden = false;
if (find("use-published")) find("use-published").addEventListener("click", published);
find("bundle-file").addEventListener("change", async ({ target }) => {
  if (target.files.length) begin(await target.files[0].arrayBuffer());
});
find("find").addEventListener("submit", (event) => {
  event.preventDefault();
  if (worker) worker.postMessage({ find: find("code").value.trim() });
});
