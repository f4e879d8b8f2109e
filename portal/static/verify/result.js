/* The three result files, written again row by row and compared byte by byte. */

import { belongs, line, mayAsk, placeOf, wishesOf } from "./place.js";
import { bytesOf, textOf } from "./text.js";

const AT_ONCE = 1 << 16, LONGEST_ROW = 1 << 12, LINE_END = 10;

/* Why a wish was granted or not, in the order in which the reasons apply. */
export const REASONS = [
  "placed", "placed_higher", "no_places", "not_eligible", "closed_by_unit", "tier_below_cutoff", "ticket_after_cutoff",
];
const STATES = ["all", "none", "line"];
const WORD = Object.fromEntries([...REASONS, ...STATES].map((word) => [word, bytesOf(word)]));

/* Rows as bytes. A file's writer yields whenever enough has come together. */
class Sheet {
  constructor() {
    this.bytes = new Uint8Array(AT_ONCE + 2 * LONGEST_ROW);
    this.length = 0;
    this.rows = 0;
  }

  piece(bytes, from = 0, to = bytes.length) {
    for (let at = from; at < to; at++) this.bytes[this.length++] = bytes[at];
    return this;
  }

  code(codes, index) {
    return this.piece(codes.bytes, codes.from[index], codes.to[index]);
  }

  number(value) {
    let digits = 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
    this.length += digits;
    for (let at = this.length - 1, rest = value; digits > 0; digits--, at--) {
      const less = Math.floor(rest / 10);
      this.bytes[at] = 48 + rest - 10 * less;
      rest = less;
    }
    return this;
  }

  comma() {
    this.bytes[this.length++] = 44;
    return this;
  }

  end() {
    this.bytes[this.length++] = LINE_END;
    this.rows++;
    return this.length >= AT_ONCE;
  }
}

export function poolOf(state, unit) {
  if (state.standsOver[unit] >= 0) return state.standsOver[unit];
  const p = placeOf(state, unit);
  return p < 0 ? -1 : state.market.pools.start[p] + state.pool[unit];
}

/* The number that a child's list gives to its wish at this place, from 0. */
export function rankOf({ market: { wishes } }, child, step) {
  return wishes.rank[wishes.start[child] + step];
}

function* placements(state, sheet, say) {
  const { children, programmes, pools } = state.market;
  sheet.piece(bytesOf("child,programme,rank,pool")).end();
  for (const child of children.codes.inOrder()) {
    const unit = state.units.of[child], p = placeOf(state, unit);
    sheet.code(children.codes, child).comma();
    if (p < 0) sheet.comma().comma();
    else sheet.code(programmes.codes, p).comma().number(rankOf(state, child, state.wish[unit])).comma().piece(pools.name[poolOf(state, unit)]);
    if (!sheet.end()) continue;
    say(sheet.rows, children.codes.count);
    yield;
  }
}

function* cutoffs(state, sheet, say) {
  const { programmes, pools } = state.market;
  sheet.piece(bytesOf("programme,pool,places,filled,state,eligible,tier,ticket")).end();
  for (const p of programmes.codes.inOrder()) {
    const own = [];
    for (let q = pools.start[p]; q < pools.start[p + 1]; q++) own.push(q);
    for (const q of own.sort((a, b) => byBytes(pools.name[a], pools.name[b]))) {
      const found = line(state, q);
      sheet.code(programmes.codes, p).comma().piece(pools.name[q]).comma().number(pools.places[q]).comma();
      sheet.number(found.filled).comma().piece(WORD[found.state]).comma();
      if (found.state === "line") sheet.number(found.eligible).comma().number(found.tier).comma().number(found.ticket);
      else sheet.comma().comma();
      if (!sheet.end()) continue;
      say(sheet.rows, pools.name.length);
      yield;
    }
  }
}

function byBytes(a, b) {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

function* reasons(state, sheet, say) {
  const { children, programmes, pools, wishes } = state.market, lines = pools.name.map((_, q) => line(state, q));
  sheet.piece(bytesOf("child,rank,programme,pool,reason,tier,ticket,cutoff_tier,cutoff_ticket")).end();
  for (const child of children.codes.inOrder()) {
    const unit = state.units.of[child], [from, count] = wishesOf(state, unit);
    for (let step = 0; step < count; step++) {
      const { q, reason } = verdict(state, (pool) => lines[pool], unit, step), last = q < 0 ? null : lines[q];
      sheet.code(children.codes, child).comma().number(rankOf(state, child, step)).comma();
      sheet.code(programmes.codes, wishes.programme[from + step]).comma();
      if (q >= 0) sheet.piece(pools.name[q]);
      sheet.comma().piece(WORD[reason]).comma().number(state.units.tier[from + step]).comma();
      sheet.number(state.units.ticket[unit]).comma();
      if (last && last.state === "line") sheet.number(last.tier).comma().number(last.ticket);
      else sheet.comma();
      if (!sheet.end()) continue;
      say(sheet.rows, wishes.programme.length);
      yield;
    }
  }
}

/* What became of one wish of a unit: the pool that decided (-1 for none) and the reason; `lineOf` gives a pool's line. */
export function verdict(state, lineOf, unit, step) {
  if (step > state.wish[unit]) return { q: -1, reason: "placed_higher" };
  if (step === state.wish[unit]) return { q: poolOf(state, unit), reason: "placed" };
  const { pools, wishes } = state.market, [from] = wishesOf(state, unit), p = wishes.programme[from + step];
  let asked = -1, places = 0;
  for (let q = pools.start[p]; q < pools.start[p + 1]; q++) {
    places += pools.places[q];
    if (mayAsk(state, unit, q)) asked = q;
  }
  if (places === 0) return { q: -1, reason: "no_places" };
  if (asked < 0) return { q: -1, reason: "not_eligible" };
  return { q: asked, reason: whyRefused(lineOf(asked), pools.places[asked], belongs(state, unit, asked), state.units.tier[from + step]) };
}

function whyRefused(last, places, belonging, tier) {
  if (last.filled < places) return "closed_by_unit";
  if (last.state !== "line") return "no_places";
  if (last.eligible && !belonging) return "not_eligible";
  return tier > last.tier ? "tier_below_cutoff" : "ticket_after_cutoff";
}

export const RESULT_FILES = { "placements.csv": placements, "cutoffs.csv": cutoffs, "reasons.csv": reasons };

/* Compares a file, written again, with the published one: null if all bytes are equal, else the first row that differs,
   with what it says in both. */
export async function firstDifference(write, state, reader, say) {
  const sheet = new Sheet();
  let before = 0;
  for (const rows = write(state, sheet, say); ;) {
    const { done } = rows.next();
    const ours = sheet.bytes.subarray(0, sheet.length), theirs = await reader.take(sheet.length);
    const at = whereDifferent(ours, theirs);
    if (at >= 0) return oneRow(before, ours, theirs, at, reader);
    if (done) break;
    before = sheet.rows;
    sheet.length = 0;
  }
  const more = await reader.take(LONGEST_ROW);
  return more.length ? { row: sheet.rows + 1, ours: "", theirs: firstRow(more, 0) } : null;
}

function whereDifferent(ours, theirs) {
  for (let at = 0; at < theirs.length; at++) if (ours[at] !== theirs[at]) return at;
  return ours.length > theirs.length ? theirs.length : -1;
}

async function oneRow(before, ours, theirs, at, reader) {
  const from = at ? ours.lastIndexOf(LINE_END, at - 1) + 1 : 0;
  let row = before + 1;
  for (let i = 0; i < from; i++) if (ours[i] === LINE_END) row++;
  const rest = new Uint8Array(2 * LONGEST_ROW), end = theirs.subarray(from, from + LONGEST_ROW);
  rest.set(end);
  if (from + LONGEST_ROW > theirs.length) rest.set(await reader.take(LONGEST_ROW), end.length);
  return { row, ours: firstRow(ours, from), theirs: firstRow(rest, 0) };
}

function firstRow(bytes, from) {
  const end = bytes.findIndex((byte, at) => at >= from && (byte === LINE_END || byte === 0));
  return textOf(bytes, from, end < 0 ? bytes.length : end).slice(0, 200);
}
