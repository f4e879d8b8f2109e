/* The three result files, written again line by line and compared byte by byte. */

import { byCode } from "./market.js";
import { belongsTo, line } from "./place.js";

const ROWS_AT_ONCE = 5000;

function inCodeOrder(codes) {
  const order = Array.from(codes, (_, index) => index);
  for (let i = 1; i < codes.length; i++) {
    if (byCode(codes[i - 1], codes[i]) > 0) return order.sort((a, b) => byCode(codes[a], codes[b]));
  }
  return order;
}

const poolOf = (unit) => (unit.standsOver >= 0 ? unit.standsOver : unit.pool);

function* placements(state) {
  const { children, market: { programmes } } = state;
  yield "child,programme,rank,pool\n";
  for (const child of inCodeOrder(children.code)) {
    const unit = state.units[state.of[child]];
    const p = unit.wishes[unit.wish];
    const where = p === undefined ? ",," : `${programmes.code[p]},${unit.wish + 1},${state.pools[p][poolOf(unit)].name}`;
    yield `${children.code[child]},${where}\n`;
  }
}

function* cutoffs(state) {
  const { code } = state.market.programmes;
  yield "programme,pool,places,filled,state,eligible,tier,ticket\n";
  for (const p of inCodeOrder(code)) {
    for (const pool of [...state.pools[p]].sort((a, b) => byCode(a.name, b.name))) {
      const { state: kind, filled, eligible, tier, ticket } = line(pool);
      const last = kind === "line" ? `${eligible},${tier},${ticket}` : ",,";
      yield `${code[p]},${pool.name},${pool.places},${filled},${kind},${last}\n`;
    }
  }
}

/* What became of one wish of a unit: the pool that decided, the reason, and that pool's line. */
export function verdict(state, unit, step) {
  if (step > unit.wish) return { pool: null, reason: "placed_higher" };
  const pools = state.pools[unit.wishes[step]];
  if (step === unit.wish) {
    const pool = pools[poolOf(unit)];
    return { pool, reason: "placed", last: line(pool) };
  }
  const withPlaces = pools.filter((pool) => pool.places > 0);
  if (!withPlaces.length) return { pool: null, reason: "no_places" };
  const asked = withPlaces.filter((pool) => !pool.locked || belongsTo(state, unit, pool));
  if (!asked.length) return { pool: null, reason: "not_eligible" };
  const pool = asked[asked.length - 1];
  const last = line(pool);
  return { pool, reason: why(last, pool, belongsTo(state, unit, pool), unit.tiers[step]), last };
}

function why(last, pool, belongs, tier) {
  if (last.filled < pool.places) return "closed_by_unit";
  if (last.state !== "line") return "no_places";
  if (last.eligible && !belongs) return "not_eligible";
  return tier > last.tier ? "tier_below_cutoff" : "ticket_after_cutoff";
}

function* reasons(state) {
  const { children, market: { programmes } } = state;
  yield "child,rank,programme,pool,reason,tier,ticket,cutoff_tier,cutoff_ticket\n";
  for (const child of inCodeOrder(children.code)) {
    const unit = state.units[state.of[child]];
    for (let step = 0; step < unit.wishes.length; step++) {
      const { pool, reason, last } = verdict(state, unit, step);
      const cut = last && last.state === "line" ? `${last.tier},${last.ticket}` : ",";
      yield `${children.code[child]},${step + 1},${programmes.code[unit.wishes[step]]},${pool ? pool.name : ""},`
        + `${reason},${unit.tiers[step]},${unit.ticket},${cut}\n`;
    }
  }
}

export const RESULT_FILES = { "placements.csv": placements, "cutoffs.csv": cutoffs, "reasons.csv": reasons };

/* Compares the rows with the published bytes; 0 if all are equal, else the number of the first line that differs. */
export function firstDifference(rows, published) {
  const encoder = new TextEncoder();
  let at = 0, before = 0, held = [];
  const compare = () => {
    const bytes = encoder.encode(held.join(""));
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== published[at + i]) return before + 1 + bytes.subarray(0, i).filter((b) => b === 10).length;
    }
    at += bytes.length;
    before += held.length;
    held = [];
    return 0;
  };
  for (const row of rows) {
    held.push(row);
    if (held.length < ROWS_AT_ONCE) continue;
    const found = compare();
    if (found) return found;
  }
  return compare() || (at === published.length ? 0 : before + 1);
}
