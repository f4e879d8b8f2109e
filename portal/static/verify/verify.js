/* All steps of the check, from the bytes of a bundle. No network, no clock, no chance. */

import { commitment, drawTickets, seedOf } from "./draw.js";
import { BadMarket, readMarket } from "./market.js";
import { line, place, belongsTo } from "./place.js";
import { RESULT_FILES, firstDifference, verdict } from "./result.js";
import { openZip } from "./zip.js";

const MARKET_FILES = ["market.json", "programmes.csv", "pools.csv", "children.csv", "wishes.csv", "tickets.csv"];

/* Returns { steps: [{ step, ok, detail }], state }; `say(step, done, of)` hears of progress. */
export async function verify(bytes, say = () => {}) {
  say("opening", 0, 0);
  const zip = await openZip(bytes);
  const files = new Map(MARKET_FILES.filter((name) => zip.has(`market/${name}`)).map((name) => [name, zip.get(`market/${name}`)]));
  if (!zip.has("draw.json")) throw new BadMarket("draw.json: missing");
  const record = JSON.parse(new TextDecoder().decode(zip.get("draw.json")));
  const market = readMarket(files);
  const steps = [];
  say("commitment", 0, 0);
  const fixed = commitment(files, market.head);
  steps.push({ step: "commitment", ok: fixed === record.commitment, detail: fixed });
  const ticket = ticketsOf(market, record, steps, say);
  say("placing", 0, market.children.code.length);
  const state = place(market, ticket, say);
  for (const [name, rows] of Object.entries(RESULT_FILES)) {
    say("comparing", steps.length, 0);
    const published = zip.get(`result/${name}`);
    const found = published ? firstDifference(rows(state), published) : -1;
    steps.push({ step: name, ok: found === 0, detail: found > 0 ? String(found) : "" });
  }
  return { steps, state, ticket };
}

/* The tickets: those the market carries, else drawn from the seed, which is checked against its parts. */
function ticketsOf(market, record, steps, say) {
  if (market.ticket) {
    steps.push({ step: "tickets", ok: (market.head.seed || null) === (record.seed || null), detail: "" });
    return market.ticket;
  }
  if (!record.seed) throw new BadMarket("neither a seed nor tickets");
  steps.push({ step: "seed", ok: seedOf(record) === record.seed && market.head.seed === record.seed, detail: record.seed });
  say("tickets", 0, market.children.code.length);
  return drawTickets(market.head.seed, market.children, say);
}

/* One child's wishes, decided one by one: what stood against it in every pool that it asked. */
export function decided(state, code) {
  const child = state.children.index.get(code);
  if (child === undefined) return null;
  const { programmes } = state.market;
  const unit = state.units[state.of[child]];
  const wishes = Array.from(unit.wishes, (p, step) => {
    const { pool, reason, last } = verdict(state, unit, step);
    return {
      rank: step + 1,
      programme: programmes.code[p],
      pool: pool ? pool.name : "",
      reason,
      tier: unit.tiers[step],
      line: last && last.state === "line" ? { tier: last.tier, ticket: last.ticket } : null,
      pools: state.pools[p].map((one) => ({ name: one.name, places: one.places, mine: belongsTo(state, unit, one), ...line(one) })),
    };
  });
  return { child: code, ticket: unit.ticket, bound: unit.members.length, wishes };
}
