/* What a full file publishes: which pools stand in a block of their own, which are hidden together, and the order of each.
   Written apart from the program on the server; both follow docs/engine.md. */

import { Fault } from "./fault.js";
import { taggedHash, toHex } from "./hash.js";
import { belongs, line, mayAsk, placeOf, wishesOf } from "./place.js";
import { ADMITTED, BETTER, OVER, REFUSED } from "./public.js";
import { poolOf } from "./result.js";
import { fromHex } from "./sha256.js";
import { bytesOf, isDigest, isText, readJson, textOf } from "./text.js";

const FILE = "publication.json", FEW = 5, ENTRY_BYTES = 16, OWN = 2 ** 37, OUTSIDER = 2 ** 36, TIER = 2 ** 32;
export const FIELDS = ["state", "eligible", "tier", "ticket"];

export const isFew = (count) => count >= 1 && count <= FEW;
const whole = (value) => Number.isSafeInteger(value);
const isTier = (each) => Array.isArray(each) && each.length === 2 && isText(each[0]) && whole(each[1]);

/* What was chosen for the publication beside market and draw. */
export function readSettings(bytes) {
  const given = readJson(bytes, FILE), { run, replays, secret, sensitive_tiers: tiers, sensitive_groups: groups } = given;
  const good = given.format === "publication/2" && whole(run) && (replays === null || whole(replays)) && isDigest(secret)
    && Array.isArray(tiers) && tiers.every(isTier) && Array.isArray(groups) && groups.every(isText);
  if (!good) throw new Fault("bad_json", { file: FILE });
  return {
    run, replays, secret: fromHex(secret), hidesFewMoves: given.hides_few_moves === true,
    tiers: new Set(tiers.map(([programme, tier]) => `${programme}\n${tier}`)), groups: new Set(groups),
  };
}

/* { options, blocks, entries }. An option is a child and a pool that it may ask, a block is a row of blocks.csv, an entry
   is a child in a block. */
export function publicationOf(state, settings, say) {
  const options = optionsOf(state), lines = state.market.pools.name.map((_, q) => line(state, q));
  const blocks = blocksOf(state, settings, options, lines), entries = entriesOf(state, settings, options, blocks, say);
  return { options, lines, blocks, entries };
}

/* Columns of options: the child, the pool, what became of it, its place in the order of the pool, and whether its place
   was guaranteed. */
function optionsOf(state) {
  const { market, units } = state, { children, pools, wishes } = market, found = { child: [], pool: [], outcome: [], key: [], guaranteed: [] };
  for (let child = 0; child < children.codes.count; child++) {
    const unit = units.of[child], [from, count] = wishesOf(state, unit), step = state.wish[unit], here = step < count ? poolOf(state, unit) : -1;
    for (let wish = 0; wish < count; wish++) {
      const p = wishes.programme[from + wish], guaranteed = children.current[units.first[unit]] === p;
      for (let q = pools.start[p]; q < pools.start[p + 1]; q++) {
        const asked = mayAsk(state, unit, q), placed = wish === step && q === here;
        if (!asked && !placed) continue;
        const behind = here >= 0 && (wish > step || (wish === step && q > here));
        found.child.push(child);
        found.pool.push(q);
        found.outcome.push(placed ? (asked ? ADMITTED : OVER) : behind ? BETTER : REFUSED);
        found.key.push((guaranteed ? 0 : OWN) + (belongs(state, unit, q) ? 0 : OUTSIDER) + units.tier[from + wish] * TIER + units.ticket[unit]);
        found.guaranteed.push(guaranteed);
      }
    }
  }
  markOver(state, found);
  return found;
}

/* A guaranteed unit that was refused like others and keeps its place stands above the number of places. */
function markOver({ market, units }, { child, pool, outcome, key, guaranteed }) {
  const unitOf = (row) => units.of[child[row]];
  const rows = [...guaranteed.keys()].filter((row) => guaranteed[row] && (outcome[row] === ADMITTED || outcome[row] === REFUSED));
  rows.sort((a, b) => pool[a] - pool[b] || key[a] - key[b] || unitOf(a) - unitOf(b));
  let at = -1, used = 0, closed = false, before = -1;
  for (const row of rows) {
    if (pool[row] !== at) { at = pool[row]; used = 0; closed = false; before = -1; }
    const unit = unitOf(row), size = units.size[unit], places = market.pools.places[at];
    if (unit !== before) {
      const fits = market.close ? used + size <= places : used < places;
      closed ||= !fits || outcome[row] === REFUSED;
      used += size;
      before = unit;
    }
    if (closed && outcome[row] === ADMITTED) outcome[row] = OVER;
  }
}

/* Pool by pool; those of a programme that would be about few children or about a sensitive ground are hidden together. */
function blocksOf(state, settings, { pool }, lines) {
  const { programmes, pools } = state.market, asked = new Int32Array(pools.name.length), found = [];
  for (const q of pool) asked[q]++;
  const secret = pools.name.map((_, q) => isSecret(state, settings, lines[q], asked[q], q)), changed = programmesOfFewMoves(state, settings);
  for (const p of programmes.codes.inOrder()) {
    const used = [];
    for (let q = pools.start[p]; q < pools.start[p + 1]; q++) if (pools.places[q] > 0 || asked[q]) used.push(q);
    const hidden = changed.has(p) ? used : hiddenTogether(used, secret, lines, asked);
    const parts = used.filter((q) => !hidden.includes(q)).map((q) => ({ pools: [q], hidden: false }));
    if (hidden.length) parts.push({ pools: hidden, hidden: true });
    for (const part of parts.sort((a, b) => a.pools[0] - b.pools[0])) found.push({ ...part, code: String(found.length + 1), programme: p });
  }
  return found;
}

function isSecret({ market: { pools, programmes } }, { groups, tiers }, last, asked, q) {
  if (isFew(last.filled) || isFew(asked) || pools.listed[q].split(";").some((group) => groups.has(group))) return true;
  if (last.state !== "line") return false;
  const p = programmeOf(pools, q);
  return tiers.has(`${programmes.codes.text(p)}\n${last.tier}`);
}

function programmeOf({ start }, q) {
  let low = 0, high = start.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (start[middle] <= q) low = middle; else high = middle;
  }
  return low;
}

/* Where 1 to 5 children came, or left, since the run that is replayed, both orders side by side could show one of them. */
function programmesOfFewMoves(state, { hidesFewMoves }) {
  const { children, programmes } = state.market, { current } = children, count = programmes.places.length;
  const came = new Int32Array(count), left = new Int32Array(count);
  let holders = 0;
  for (let child = 0; child < children.codes.count; child++) {
    const now = placeOf(state, state.units.of[child]);
    if (current[child] >= 0) holders++;
    if (now === current[child]) continue;
    if (now >= 0) came[now]++;
    if (current[child] >= 0) left[current[child]]++;
  }
  const few = [...came.keys()].filter((p) => isFew(came[p]) || isFew(left[p]));
  return new Set(hidesFewMoves && holders ? few : []);
}

/* At least two pools if there are two, and no sum over few children. */
function hiddenTogether(used, secret, lines, asked) {
  const hidden = used.filter((q) => secret[q]), sum = (of) => hidden.reduce((total, q) => total + of(q), 0);
  if (!hidden.length) return hidden;
  const others = used.filter((q) => !secret[q]).sort((a, b) => lines[a].filled - lines[b].filled || a - b);
  while (others.length && (hidden.length < 2 || isFew(sum((q) => lines[q].filled)) || isFew(sum((q) => asked[q])))) hidden.push(others.shift());
  return hidden.sort((a, b) => a - b);
}

/* For each block its entries in their order: { child, outcome, code }. A shown block stands in the order of the pool, a
   hidden one in that of the codes. */
function entriesOf(state, { run }, { child, pool, outcome, key }, blocks, say) {
  const { market } = state, { codes } = market.children, place = new Int32Array(codes.count), blockOf = new Int32Array(market.pools.name.length).fill(-1);
  codes.inOrder().forEach((one, at) => { place[one] = at; });
  blocks.forEach((block, at) => { for (const q of block.pools) blockOf[q] = at; });
  const rows = blocks.map(() => new Map());
  for (let row = 0; row < child.length; row++) {
    const own = rows[blockOf[pool[row]]], known = own.get(child[row]);
    if (known === undefined || outcome[row] < outcome[known]) own.set(child[row], row);
  }
  let done = 0;
  return blocks.map((block, at) => {
    const parts = [bytesOf(market.programmes.codes.text(block.programme)), bytesOf(block.code), bytesOf(String(run))];
    const found = [...rows[at].values()].map((row) => {
      if (done++ % 5000 === 0) say("publishing", done, child.length);
      const code = toHex(taggedHash("entry/2", fromHex(market.salts[child[row]]), ...parts).subarray(0, ENTRY_BYTES));
      return { child: child[row], outcome: outcome[row], code, key: key[row] };
    });
    const byCode = (a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : 0);
    return found.sort(block.hidden ? byCode : (a, b) => a.key - b.key || place[a.child] - place[b.child]);
  });
}

/* The nullifier of a child that is placed. */
export function seatOf(salt, run) {
  return toHex(taggedHash("seat/2", fromHex(salt), bytesOf(String(run))).subarray(0, ENTRY_BYTES));
}

/* The line of a pool as texts, in the order of FIELDS; the numbers are empty where there is no line. */
export function lineTexts(last) {
  return FIELDS.map((field) => (field === "state" ? last.state : last.state === "line" ? String(last[field]) : ""));
}

/* The commitment to all lines of a hidden block. */
export function lineCommitment({ market: { pools } }, { secret }, { code, pools: own }, lines) {
  const fields = own.flatMap((q) => lineTexts(lines[q]).map((value, at) => {
    const salt = taggedHash("line-salt/2", secret, bytesOf(code), bytesOf(textOf(pools.name[q])), bytesOf(FIELDS[at]));
    return taggedHash("line/2", salt, bytesOf(value));
  }));
  return toHex(taggedHash("lines/2", ...fields));
}
