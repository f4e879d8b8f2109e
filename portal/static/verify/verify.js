/* All steps of the check, from a bundle. No network, no clock, no chance. */

import { childrenRoot } from "./commitment.js";
import { drawTickets } from "./draw.js";
import { Fault } from "./fault.js";
import { figures, wrongFigures } from "./figures.js";
import { MARKET_FILES, readMarket } from "./market.js";
import { place } from "./place.js";
import { comparePublicFile } from "./public_file.js";
import { isPublic, verifyPublic } from "./public.js";
import { commitmentOf, isSecond, readRecord, seedFault } from "./record.js";
import { RESULT_FILES, firstDifference } from "./result.js";
import { sha256Hex } from "./sha256.js";
import { readJson, textOf } from "./text.js";
import { openZip } from "./zip.js";

const SUMMARY = "result/summary.json", PUBLICATION = "publication.json", PUBLISHED = ["market.json", "programmes.csv", "pools.csv"];
const KNOWN = new Set([
  "draw.json", "issued.json", ...MARKET_FILES.map((name) => `market/${name}`), ...Object.keys(RESULT_FILES).map((name) => `result/${name}`), SUMMARY,
]);

/* A public file gives { steps, remarks, record, head, children, open }, a full one { steps, remarks, record, head, children,
   state, ticket, compare }. `compare(blob)` gives the steps for the public file of the same result. A step is { step, ok } and, where something is wrong, what: { word, values }. Remarks are no faults.
   `say(step, done, of)` hears of progress. */
export async function verify(blob, say = () => {}) {
  say("opening", 0, 0);
  const zip = await openZip(blob);
  return isPublic(zip) ? { ...(await verifyPublic(zip, say)), remarks: remarksOn(zip) } : verifyFull(zip, say);
}

async function verifyFull(zip, say) {
  const names = MARKET_FILES.filter((name) => zip.has(`market/${name}`)), files = new Map(), digests = new Map();
  const all = names.reduce((sum, name) => sum + zip.get(`market/${name}`).size, 0);
  let opened = 0;
  for (const name of names) {
    say("opening", opened, all);
    files.set(name, await zip.get(`market/${name}`).bytes());
    digests.set(name, sha256Hex(files.get(name)));
    opened += files.get(name).length;
  }
  if (!zip.has("draw.json")) throw new Fault("bad_missing", { file: "draw.json" });
  const record = readRecord(await zip.get("draw.json").bytes());
  const summary = await summaryOf(zip);
  const market = readMarket(files, say);
  const root = market.salts && childrenRoot(market, say);
  const steps = [filesStep(zip, record), commitmentStep(digests, market, record, summary, root)];
  steps.push(...seedSteps(market, record));
  const ticket = market.ticket || drawTickets(market.head.seed, market.children, say, market.held, market.head.after);
  const state = place(market, ticket, say);
  for (const [name, write] of Object.entries(RESULT_FILES)) steps.push(await resultStep(zip, name, write, state, say));
  const wrong = summary ? wrongFigures(figures(state), summary) : [SUMMARY];
  steps.push(outcome("figures", !wrong.length, "wrong_figures", { names: wrong.join(", ") }));
  const damaged = [...zip.values()].filter((entry) => entry.damaged).map(({ name }) => name);
  if (damaged.length) steps[0] = outcome("files", false, "wrong_damaged", { file: damaged.join(", ") });
  const compare = await comparison(zip, { record, market, state, root, files });
  return { steps, remarks: remarksOn(zip), record, head: market.head, children: ticket.length, state, ticket, compare };
}

/* Compares the public file that a full one gives with another; null for a file of the first format, which had none. */
async function comparison(zip, { files, ...full }) {
  if (!isSecond(full.record) || !full.root || !zip.has(PUBLICATION)) return null;
  full.publication = await zip.get(PUBLICATION).bytes();
  full.texts = new Map(PUBLISHED.filter((name) => files.has(name)).map((name) => [name, textOf(files.get(name)).split("\n")]));
  return async (blob, say = () => {}) => {
    const other = await openZip(blob);
    if (!isPublic(other)) throw new Fault("bad_not_public");
    return comparePublicFile(full, other, say);
  };
}

function outcome(step, ok, word, values = {}) {
  return ok ? { step, ok } : { step, ok, word, values };
}

/* What the run noted of itself, as far as it was published; null if it cannot be read. */
async function summaryOf(zip) {
  if (!zip.has(SUMMARY)) return {};
  try {
    return readJson(await zip.get(SUMMARY).bytes(), SUMMARY);
  } catch (error) {
    if (error instanceof Fault) return null;
    throw error;
  }
}

function filesStep(zip, record) {
  const known = (name) => KNOWN.has(name) || (name === PUBLICATION && isSecond(record));
  const strange = [...zip.keys()].filter((name) => !known(name) && !name.endsWith("/"));
  return outcome("files", !strange.length, "wrong_extra", { file: strange.join(", ").slice(0, 200) });
}

/* Files that a run noted with another digest are named: they are the ones that were changed. */
function commitmentStep(digests, market, record, summary, root) {
  if (isSecond(record) !== (root !== null)) return outcome("commitment", false, "wrong_formats");
  const ours = commitmentOf(digests, market.head, root);
  const noted = summary?.inputs || {};
  const changed = [...digests].filter(([name, digest]) => name in noted && noted[name] !== digest).map(([name]) => name);
  const values = { published: record.commitment, ours, file: changed.join(", ") };
  return outcome("commitment", ours === record.commitment, changed.length ? "wrong_commitment_in" : "wrong_commitment", values);
}

/* The tickets are those that the market carries, else drawn from the seed, which is checked against its parts. */
function seedSteps(market, record) {
  if (!market.ticket && (market.head.seed ?? null) === null) throw new Fault("bad_no_seed");
  const fault = seedFault(record, market.head), drawn = (record.seed ?? null) !== null;
  return fault || drawn ? [outcome("seed", !fault, ...(fault || []))] : [];
}

async function resultStep(zip, name, write, state, say) {
  const entry = zip.get(`result/${name}`);
  if (!entry) return outcome(name, false, "wrong_missing", { file: `result/${name}` });
  const reader = entry.reader();
  const found = await firstDifference(write, state, reader, (done, of) => say("comparing", done, of));
  if (!found) { await reader.close(); entry.damaged = reader.damaged; }
  return outcome(name, !found, "wrong_row", { file: name, ...found });
}

/* A file that was packed anew says the same in another way. */
function remarksOn(zip) {
  return [...zip.values()].some((entry) => entry.method !== 0) ? ["remark_packed"] : [];
}
