/* One family's wishes, decided one by one: what stood against it in every pool that it asked. */

import { belongs, line, mayAsk, wishesOf } from "./place.js";
import { rankOf, verdict } from "./result.js";
import { bytesOf, textOf } from "./text.js";

/* The child with this ticket or this code, -1 if there is none. */
function childOf({ market: { children } }, ticket, asked) {
  const byCode = children.codes.find(bytesOf(asked));
  return byCode < 0 && /^[0-9]{1,10}$/.test(asked) ? ticket.indexOf(Number(asked)) : byCode;
}

export function decided(state, ticket, asked) {
  const child = childOf(state, ticket, asked);
  if (child < 0) return null;
  const { market, units } = state, unit = units.of[child], [from, count] = wishesOf(state, unit);
  const wishes = [];
  for (let step = 0; step < count; step++) {
    const p = market.wishes.programme[from + step];
    const { q, reason } = verdict(state, (pool) => line(state, pool), unit, step);
    wishes.push({
      rank: rankOf(state, child, step),
      programme: market.programmes.codes.text(p),
      reason,
      pool: q < 0 ? "" : textOf(market.pools.name[q]),
      tier: units.tier[from + step],
      own: market.wishes.tier[market.wishes.start[child] + step],
      guaranteed: market.children.current[child] === p,
      pools: poolsOf(state, unit, p),
    });
  }
  return { code: market.children.codes.text(child), ticket: units.ticket[unit], bound: units.size[unit], wishes };
}

function poolsOf(state, unit, p) {
  const { start, name, places } = state.market.pools, found = [];
  for (let q = start[p]; q < start[p + 1]; q++) {
    const mine = belongs(state, unit, q), asked = mayAsk(state, unit, q);
    found.push({ name: textOf(name[q]), places: places[q], mine, asked, ...line(state, q) });
  }
  return found;
}
