/* The public file, written again from the full one and compared file by file, row by row. */

import { canonical } from "./hash.js";
import { lineCommitment, lineTexts, publicationOf, readSettings, seatOf } from "./publication.js";
import { ADMITTED, BLOCK, KNOWN, OUTCOMES, OVER, REASONS, REFUSED } from "./public.js";
import { digestsBehind, fromHex } from "./sha256.js";
import { bytesOf, textOf } from "./text.js";

const ORDER = ["block", "position", "entry", "outcome", "nullifier"];

/* A map from the names of the public file to their lines. `full` is what a right full file was found to be. */
export function linesOfPublicFile({ record, market, state, root, texts, publication }, say) {
  const settings = readSettings(publication), of = publicationOf(state, settings, say), found = new Map(texts);
  const names = ({ pools }) => pools.map((q) => textOf(market.pools.name[q]));
  const merged = Object.fromEntries(of.blocks.filter(({ pools }) => pools.length > 1).map((block) => [block.code, names(block)]));
  const about = { format: "public/2", run: settings.run, replays: settings.replays, children: market.children.codes.count, children_root: root, merged };
  found.set("draw.json", [canonical(wholeRecord(record))]).set("public.json", [canonical(about)]);
  found.set("blocks.csv", blockLines(state, settings, of)).set("orders.csv", orderLines(market, settings, of));
  if ((record.seed ?? null) !== null) found.set("digests.csv", digestLines(market, record.seed));
  return found;
}

/* Each field of draw.json, those too that the full file leaves out. */
function wholeRecord(record) {
  return { commitment_time: "", form: null, beacon: "", ceremony: "", seed: null, witnesses: [], corrections: [], ...record };
}

function orderLines({ salts }, { run }, { entries }) {
  const rows = entries.flatMap((own, block) => own.map(({ child, outcome, code }, at) => {
    return [block + 1, at + 1, code, OUTCOMES[outcome], outcome <= OVER ? seatOf(salts[child], run) : ""].join();
  }));
  return [ORDER.join(), ...rows, ""];
}

function blockLines(state, settings, { options, lines, blocks, entries }) {
  const { market } = state, { pools, programmes } = market, count = pools.name.length, sum = (own, of) => own.reduce((all, q) => all + of(q), 0);
  const waiting = new Int32Array(count), over = new Int32Array(count);
  options.pool.forEach((q, row) => {
    if (options.outcome[row] === REFUSED) waiting[q]++;
    if (options.outcome[row] === OVER) over[q]++;
  });
  const rows = blocks.map((block, at) => {
    const own = block.pools, [q] = own, last = lines[q], outcomes = entries[at].map(({ outcome }) => outcome);
    const line = block.hidden ? ["", "", "", "", ""] : [last.state, last.state === "line" ? outcomes.lastIndexOf(ADMITTED) + 1 : "", ...lineTexts(last).slice(1)];
    return [
      block.code, programmes.codes.text(block.programme), own.length === 1 ? textOf(pools.name[q]) : "", block.hidden ? "hidden" : "shown",
      sum(own, (each) => pools.places[each]), sum(own, (each) => lines[each].filled), outcomes.length, ...line,
      reasonsOf(own, pools.places, lines, outcomes, waiting, over).join(";"), block.hidden ? lineCommitment(state, settings, block, lines) : "",
    ].join();
  });
  return [BLOCK.join(), ...rows, ""];
}

/* Why places stayed free although somebody was refused, or why more children than places are there. */
function reasonsOf(own, places, lines, outcomes, waiting, over) {
  const sum = (of) => own.reduce((all, q) => all + of(q), 0), filled = (q) => lines[q].filled;
  const closed = own.some((q) => waiting[q] && filled(q) < places[q]), free = sum(filled) < sum((q) => places[q]);
  const found = {
    closed_by_unit: closed, guaranteed_over: own.some((q) => over[q] > 0),
    locked: free && !closed && outcomes.includes(REFUSED), unit_over: own.some((q) => filled(q) - over[q] > places[q]),
  };
  return REASONS.filter((reason) => found[reason]);
}

/* The digests of the families whose tickets this seed drew, in order, with the number of their children. */
function digestLines({ children, held }, seed) {
  const { codes, families, family } = children, digest = digestsBehind(fromHex(seed)), joining = new Int32Array(families.count), words = new Uint32Array(8);
  for (let child = 0; child < codes.count; child++) if (held === null || held[child] < 0) joining[family[child]]++;
  const rows = [];
  for (let f = 0; f < families.count; f++) {
    if (!joining[f]) continue;
    digest(families.bytes, families.from[f], families.to[f], words, 0);
    rows.push(`${Array.from(words, (word) => word.toString(16).padStart(8, "0")).join("")},${joining[f]}`);
  }
  return ["digest,children", ...rows.sort(), ""];
}

/* The steps of a comparison: one for each file of either. `zip` is the public file that was published. */
export async function comparePublicFile(full, zip, say) {
  const ours = linesOfPublicFile(full, say), steps = [];
  for (const name of KNOWN) {
    if (!ours.has(name) && !zip.has(name)) continue;
    say("comparing", steps.length, KNOWN.length);
    steps.push(await compared(name, ours.get(name), zip.get(name)));
  }
  for (const name of zip.keys()) if (!KNOWN.includes(name)) steps.push(wrong("files", "wrong_extra", { file: name }));
  return steps;
}

async function compared(name, lines, entry) {
  const step = `public_${name}`;
  if (!entry) return wrong(step, "wrong_missing", { file: name });
  const theirs = await entry.bytes();
  if (entry.damaged) return wrong(step, "wrong_damaged", { file: name });
  if (!lines) return wrong(step, "wrong_extra", { file: name });
  const row = firstDifferentRow(lines, theirs);
  return row ? wrong(step, "wrong_row", { file: name, ...row }) : { step, ok: true };
}

const wrong = (step, word, values) => ({ step, ok: false, word, values });

/* Row by row, so that no text of a whole city is made. */
function firstDifferentRow(lines, bytes) {
  let at = 0;
  for (const [place, text] of lines.entries()) {
    const own = bytesOf(place + 1 < lines.length ? `${text}\n` : text), part = bytes.subarray(at, at + own.length);
    if (part.length < own.length || own.some((byte, i) => byte !== part[i])) return { row: place + 1, ours: text.slice(0, 200), theirs: lineAt(bytes, at) };
    at += own.length;
  }
  return at < bytes.length ? { row: lines.length, ours: "", theirs: lineAt(bytes, at) } : null;
}

function lineAt(bytes, from) {
  const end = bytes.indexOf(10, from);
  return textOf(bytes, from, Math.min(end < 0 ? bytes.length : end, from + 200));
}
