/* The page around the check: chooses the file, shows how far it is and what came out. */

import { nameOf, showFamily } from "./wishes.js";
import { element, find, numeral, say } from "./words.js";

const card = find("verify");
const worker = new Worker(card.dataset.worker, { type: "module" }); // begun at once, so that no network is needed later
let job = 0, names = { programmes: {}, pools: {} };

function begin(blob) {
  find("verdict").replaceChildren();
  for (const each of ["decided", "own-verdict", "own-decided", "audit-verdict"]) find(each).replaceChildren();
  for (const each of ["mine", "own", "audit"]) find(each).hidden = true;
  find("running").hidden = false;
  progress({ step: "opening" });
  worker.postMessage({ blob, job: ++job });
}

worker.addEventListener("message", ({ data }) => {
  if ("found" in data) return showFamily(find("decided"), data.found, names);
  if (data.opened) return showOpening(data.opened);
  if (data.job !== job) return undefined;
  if (data.step) return progress(data);
  if (data.compared) return showComparison(data.compared);
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

function verdict(tone, title, text, remarks = [], place = "verdict") {
  const box = element("div", "", `says ${tone}`);
  box.append(element("p", title, "verdict"), element("p", text));
  for (const remark of remarks) box.append(element("p", say(remark), "small"));
  find(place).replaceChildren(box);
}

function compareWith(blob) {
  find("audit-verdict").replaceChildren();
  find("running").hidden = false;
  progress({ step: "publishing" });
  worker.postMessage({ against: blob });
}

/* Whether the public file is the one that the full file gives. */
function showComparison({ error, values, steps }) {
  find("running").hidden = true;
  if (error) return verdict("stop", say("not_opened"), say(error, values), [], "audit-verdict");
  const good = steps.every(({ ok }) => ok), list = element("ul", "", "proof");
  verdict(good ? "ok" : "stop", say(good ? "audit_good" : "not_good"), say(good ? "audit_good_more" : "not_good_more"), [], "audit-verdict");
  for (const step of steps) list.append(oneStep(step, true));
  return find("audit-verdict").append(list);
}

/* A family's own file: three answers, and its wishes one by one. */
function showOpening({ error, values, steps, found }) {
  const good = !error && steps.every(({ ok }) => ok), box = element("div", "", `says ${good ? "ok" : "stop"}`);
  const text = error ? say(error, values) : say(good ? "opening_good_more" : "not_good_more");
  box.append(element("p", say(error ? "not_opened" : good ? "opening_good" : "not_good"), "verdict"), element("p", text));
  const list = element("ul", "", "proof");
  for (const step of steps || []) list.append(oneStep(step, false));
  find("own-verdict").replaceChildren(box, ...(error ? [] : [list]));
  if (good) showFamily(find("own-decided"), found, names);
  else find("own-decided").replaceChildren();
}

/* The blob of a family's own file, which may lie at the address that the page gives to a guardian. */
async function ownFile() {
  const answer = await fetch(card.dataset.opening);
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.blob();
}

/* A file that is right in itself could still be another one than this result's: one of an earlier list that a correction
   replaced, of another result of the round, or of nothing that this site published. */
function siteStep({ record }) {
  const known = [...find("commitments").content.querySelectorAll("b")];
  if (!known.length) return [];
  const mine = known.filter(({ dataset }) => dataset.commitment === record.commitment);
  const standing = ["counts", "other", "replaced"].find((each) => mine.some(({ dataset }) => dataset.standing === each));
  const values = { ours: record.commitment, when: mine[0]?.textContent };
  return [{ step: "site", ok: standing === "counts", word: standing ? `wrong_site_${standing}` : "wrong_site", values }];
}

function report(found) {
  const steps = [...siteStep(found), ...found.steps], good = steps.every(({ ok }) => ok);
  const values = { n: numeral(found.children), seconds: Math.max(0.1, found.seconds).toFixed(1) };
  const title = good ? (found.isPublic ? "public_good" : "all_good") : "not_good", remarks = [...found.remarks, ...(good && found.isPublic ? ["public_not_checked"] : [])];
  if (good && found.hidden) remarks.push(say("public_hidden", { n: numeral(found.hidden), of: numeral(found.blocks) }));
  verdict(good ? "ok" : "stop", say(title), say(`${title}_more`, values), remarks);
  const list = element("ul", "", "proof");
  for (const step of steps) list.append(oneStep(step, !found.isPublic));
  const parts = [list, facts(found)];
  find("verdict").append(...(good && card.dataset.opening ? [folded(say("each_step"), parts)] : parts));
  find("own").hidden = !found.isPublic;
  find("mine").hidden = found.isPublic;
  find("audit").hidden = !found.compares;
  if (found.isPublic && card.dataset.opening) ownFile().then((opening) => worker.postMessage({ opening }), () => showOpening({ error: "unreachable" }));
  else if (!found.isPublic && find("code").value) find("find").requestSubmit();
}

/* A family reads its own result first; where everything is right, the single steps wait behind a line. */
function folded(title, parts) {
  const box = element("details");
  box.append(element("summary", title), ...parts);
  return box;
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
  const { name, issue } = record.form?.beacon || {}, witnesses = (record.witnesses || []).flatMap((each) => each.names);
  Object.assign(told, { fact_beacon_name: record.beacon_name || [name, issue].filter(Boolean).join(" "), fact_beacon: record.beacon });
  Object.assign(told, { fact_ceremony: record.ceremony, fact_witnesses: [...new Set(witnesses)].join(say("comma")), fact_seed: record.seed });
  for (const [word, value] of Object.entries(told)) {
    if (!value) continue;
    const row = element("div");
    row.append(element("dt", say(word)), element("dd", value, /commitment|seed/.test(word) ? "code" : ""));
    list.append(row);
  }
  return list;
}

/* What became of an entry, and whose block it is, in words. */
function inWords({ programme, ...values }) {
  const known = ["admitted", "over", "better", "refused"];
  if (programme) values.block = say("block_of", { block: values.block, name: nameOf(programme, names) });
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, known.includes(value) ? say(`outcome_${value}`) : value]));
}

/* A full file is compared; a public one, or a family's own, is right or wrong. */
function oneStep({ step, ok, word, values }, compared) {
  const row = element("li"), head = element("p");
  head.append(element("span", say(step)), element("b", say(ok ? (compared ? "same" : "right") : compared ? "different" : "wrong"), ok ? "ok" : "wrong"));
  row.append(head);
  if (ok) return row;
  row.append(element("p", say(word, inWords(values || {})), "small"));
  if (word === "wrong_row") {
    row.append(element("p", say("wrong_row_published", { theirs: values.theirs || say("wrong_row_nothing") }), "small code"));
    row.append(element("p", say("wrong_row_ours", { ours: values.ours || say("wrong_row_nothing") }), "small code"));
  }
  return row;
}

/* The file goes straight into a blob, which the browser may keep on its disk; only its length passes through here. */
async function published(then, place) {
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
    then(await new Response(answer.body.pipeThrough(counted)).blob());
  } catch {
    find("running").hidden = true;
    verdict("warn", say("not_opened"), say("unreachable"), [], place);
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
if (find("use-published")) {
  find("use-published").addEventListener("click", () => published(begin, "verdict"));
  find("compare-published").addEventListener("click", () => published(compareWith, "audit-verdict"));
}
find("public-file").addEventListener("change", ({ target }) => {
  if (target.files.length) compareWith(target.files[0]);
});
find("bundle-file").addEventListener("change", ({ target }) => {
  if (target.files.length) begin(target.files[0]);
});
find("opening-file").addEventListener("change", ({ target }) => {
  if (target.files.length) worker.postMessage({ opening: target.files[0] });
});
find("find").addEventListener("submit", (event) => {
  event.preventDefault();
  worker.postMessage({ find: find("code").value.trim() });
});
