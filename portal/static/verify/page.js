/* The page around the check: chooses the file, shows how far it is and what came out. */

import { showFamily } from "./wishes.js";
import { element, find, numeral, say } from "./words.js";

const card = find("verify");
const worker = new Worker(card.dataset.worker, { type: "module" }); // begun at once, so that no network is needed later
let job = 0, names = { programmes: {}, pools: {} };

function begin(blob) {
  find("verdict").replaceChildren();
  find("decided").replaceChildren();
  find("mine").hidden = true;
  find("running").hidden = false;
  progress({ step: "opening" });
  worker.postMessage({ blob, job: ++job });
}

worker.addEventListener("message", ({ data }) => {
  if ("found" in data) return showFamily(find("decided"), data.found, names);
  if (data.job !== job) return undefined;
  if (data.step) return progress(data);
  find("running").hidden = true;
  return data.error ? verdict("stop", say("not_opened"), say(data.error, data.values)) : report(data);
});
worker.addEventListener("error", ({ message }) => {
  find("running").hidden = true;
  verdict("stop", say("not_opened"), say("bad_unknown_error", { what: message || "worker" }));
});

function progress({ step, done, of }) {
  const text = of ? `${say(step)} ${Math.floor((100 * done) / of)}%` : say(step);
  if (find("step").textContent !== text) find("step").textContent = text;
  const bar = find("bar");
  if (of) { bar.max = of; bar.value = done; } else bar.removeAttribute("value");
}

function verdict(tone, title, text, remarks = []) {
  const box = element("div", "", `says ${tone}`);
  box.append(element("p", title, "verdict"), element("p", text));
  for (const remark of remarks) box.append(element("p", say(remark), "small"));
  find("verdict").replaceChildren(box);
}

/* A file that is right in itself could still be another one than this round's: its commitment must be one of the site's. */
function siteStep({ record }) {
  const known = (card.dataset.commitments || "").split(" ").filter(Boolean);
  if (!known.length || !record.seed) return [];
  const ok = known.includes(record.commitment);
  return [{ step: "site", ok, word: "wrong_site", values: { ours: record.commitment } }];
}

function report(found) {
  const steps = [...siteStep(found), ...found.steps], good = steps.every(({ ok }) => ok);
  const values = { n: numeral(found.children), seconds: Math.max(0.1, found.seconds).toFixed(1) };
  verdict(good ? "ok" : "stop", say(good ? "all_good" : "not_good"), say(good ? "all_good_more" : "not_good_more", values), found.remarks);
  const list = element("ul", "", "proof");
  for (const step of steps) list.append(oneStep(step));
  find("verdict").append(list, facts(found));
  find("mine").hidden = false;
  if (find("code").value) find("find").requestSubmit();
}

function roundInWords(kind) {
  return ["main", "waitlist", "supplementary", "central"].includes(kind) ? say(`round_${kind}`) : kind;
}

/* As the other pages write a moment; what is no moment stays as the file has it. */
function timeInChengdu(written) {
  const moment = new Date(written), english = document.documentElement.lang.startsWith("en");
  if (!written || Number.isNaN(moment.getTime())) return written;
  const options = { timeZone: "Asia/Shanghai", dateStyle: "long", timeStyle: "short" };
  return moment.toLocaleString(english ? "en-GB" : "zh-CN", options).replace(" at ", ", ");
}

/* What the file says of its draw, for whoever compares it with what was announced in the room. */
function facts({ record, head }) {
  const list = element("dl", "", "rows facts");
  const told = { fact_round: `${head.season || ""} ${roundInWords(head.round || "main")}`, fact_commitment: record.commitment, fact_time: timeInChengdu(record.commitment_time) };
  Object.assign(told, { fact_beacon_name: record.beacon_name, fact_beacon: record.beacon, fact_ceremony: record.ceremony, fact_seed: record.seed });
  for (const [word, value] of Object.entries(told)) {
    if (!value) continue;
    const row = element("div");
    row.append(element("dt", say(word)), element("dd", value, /commitment|seed/.test(word) ? "code" : ""));
    list.append(row);
  }
  return list;
}

function oneStep({ step, ok, word, values }) {
  const row = element("li"), head = element("p");
  head.append(element("span", say(step)), element("b", say(ok ? "same" : "different"), ok ? "ok" : "wrong"));
  row.append(head);
  if (ok) return row;
  row.append(element("p", say(word, values), "small"));
  if (word === "wrong_row") {
    row.append(element("p", say("wrong_row_published", { theirs: values.theirs || say("wrong_row_nothing") }), "small code"));
    row.append(element("p", say("wrong_row_ours", { ours: values.ours || say("wrong_row_nothing") }), "small code"));
  }
  return row;
}

/* The file goes straight into a blob, which the browser may keep on its disk; only its length passes through here. */
async function published() {
  find("running").hidden = false;
  progress({ step: "downloading" });
  try {
    const answer = await fetch(card.dataset.bundle);
    if (!answer.ok) throw new Error(answer.statusText);
    const of = Number(card.dataset.size);
    let done = 0;
    const counted = new TransformStream({
      transform(part, out) {
        done += part.length;
        progress({ step: "downloading", done: Math.min(done, of), of });
        out.enqueue(part);
      },
    });
    begin(await new Response(answer.body.pipeThrough(counted)).blob());
  } catch {
    find("running").hidden = true;
    verdict("warn", say("not_opened"), say("unreachable"));
  }
}

/* Readable names for the codes; without them the codes are shown. They play no part in the check. */
async function readNames() {
  try {
    names = await (await fetch(card.dataset.names)).json();
  } catch { /* the codes stay */ }
}

card.hidden = false;
readNames();
find("code").value = decodeURIComponent(location.hash.slice(1)).slice(0, 64);
if (find("use-published")) find("use-published").addEventListener("click", published);
find("bundle-file").addEventListener("change", ({ target }) => {
  if (target.files.length) begin(target.files[0]);
});
find("find").addEventListener("submit", (event) => {
  event.preventDefault();
  worker.postMessage({ find: find("code").value.trim() });
});
