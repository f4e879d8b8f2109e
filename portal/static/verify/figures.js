/* The counts that stand above a result, from the result as it was found here. */

import { NATURES } from "./market.js";
import { line, placeOf, wishesOf } from "./place.js";
import { rankOf } from "./result.js";

export function figures(state) {
  const { market, units } = state, { children, programmes, wishes, pools } = market, count = children.codes.count;
  const found = { children: count, wishing: 0, placed: 0, by_rank: {}, by_nature: Object.fromEntries(NATURES.map((n) => [n, 0])) };
  const groups = { bound: { children: 0, placed: 0, first_wish: 0 }, single: { children: 0, placed: 0, first_wish: 0 } };
  const areas = {}, tiers = {}, siblings = { named: 0, together: 0 };
  const taken = new Int32Array(programmes.places.length);
  for (let child = 0; child < count; child++) {
    const unit = units.of[child], p = placeOf(state, unit), rank = p < 0 ? 0 : state.wish[unit] + 1;
    const elder = children.elder[child];
    if (elder >= 0) {
      const there = placeOf(state, units.of[elder]);
      siblings.named++;
      if (p >= 0 && there >= 0 && programmes.home[p] === programmes.home[there]) siblings.together++;
    }
    const [from, own] = wishesOf(state, unit);
    if (own === 0) continue;
    found.wishing++;
    const area = programmes.areas.text(programmes.area[wishes.programme[from]]);
    const group = groups[children.unit[child] >= 0 ? "bound" : "single"];
    const counts = [areas[area] ||= { children: 0, placed: 0, first: 0 }, tiers[units.tier[from]] ||= { children: 0, placed: 0, first: 0 }];
    for (const each of [...counts, group]) each.children++;
    if (p < 0) continue;
    found.placed++;
    const listed = rankOf(state, child, rank - 1);
    found.by_rank[listed] = (found.by_rank[listed] || 0) + 1;
    found.by_nature[NATURES[programmes.nature[p]]]++;
    taken[p]++;
    for (const each of [...counts, group]) each.placed++;
    if (listed !== 1) continue;
    for (const each of counts) each.first++;
    group.first_wish++;
  }
  const places = programmes.places.reduce((sum, each) => sum + each, 0);
  const overhang = programmes.places.reduce((sum, each, p) => sum + Math.max(taken[p] - each, 0), 0);
  let with_a_line = 0;
  for (let q = 0; q < pools.name.length; q++) if (line(state, q).state === "line") with_a_line++;
  const { season = "", round = "main", pair_rule = "overhang" } = market.head;
  return {
    ...found, season, round, pair_rule, unplaced: count - found.placed, places, overhang, multiples: groups,
    by_area: areas, by_tier: tiers, siblings, with_a_line,
  };
}

/* The names of published figures that are not those found here; figures that nobody published are not compared. */
export function wrongFigures(ours, published) {
  return Object.keys(ours).filter((name) => name in published && !same(ours[name], published[name]));
}

function same(a, b) {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => name in b && same(a[name], b[name]));
}
