/* Places the children in rounds, as Gale and Shapley told it in 1962: everybody who has no place asks the next pool of the
   own list, all at once; every pool then keeps the best of those whom it holds and who asked, and refuses the rest. Written
   apart from the solver on the server, which lets one unit after the other ask and keeps heaps. */

const OWN = 2 ** 37, OUTSIDER = 2 ** 36, TIER = 2 ** 32;

/* Children that are bound, or one alone. `next` leads from a unit's first child to its others, -1 at the end. */
function formUnits({ children, wishes }, ticket) {
  const count = children.codes.count;
  const of = new Int32Array(count), next = new Int32Array(count).fill(-1), last = new Int32Array(count);
  const first = new Int32Array(count), size = new Uint8Array(count), best = new Float64Array(count).fill(Infinity);
  const elder = new Int32Array(count), tier = wishes.tier.slice(), bound = new Int32Array(children.units.count).fill(-1);
  let units = 0;
  for (let child = 0; child < count; child++) {
    const name = children.unit[child];
    let unit = name < 0 ? -1 : bound[name];
    if (unit < 0) {
      unit = units++;
      if (name >= 0) bound[name] = unit;
      first[unit] = child;
      elder[unit] = children.elder[child];
    } else {
      next[last[unit]] = child;
      if (elder[unit] !== children.elder[child]) elder[unit] = -1;
      const ours = wishes.start[first[unit]], theirs = wishes.start[child];
      for (let step = wishes.start[child + 1] - theirs - 1; step >= 0; step--) {
        tier[ours + step] = Math.max(tier[ours + step], tier[theirs + step]); // the worst of its members counts
      }
    }
    last[unit] = child;
    of[child] = unit;
    size[unit]++;
    best[unit] = Math.min(best[unit], ticket[child]);
  }
  return { count: units, of, next, first, size, ticket: best, elder, tier };
}

/* Where unit u stands: it has come to its wish `wish[u]` (the number of its wishes if it has no place) and to pool `pool[u]`
   of that programme. Pool q holds the units held[q], best first, with `used[q]` children, and refused somebody who stood
   at refusedFrom[q]; `over[q]` children stand over there. */
export function place(market, ticket, say) {
  const units = formUnits(market, ticket), pools = market.pools.name.length;
  const state = {
    market,
    units,
    wish: new Int32Array(units.count),
    pool: new Int32Array(units.count),
    standsOver: new Int32Array(units.count).fill(-1),
    standing: new Float64Array(units.count),
    held: Array.from({ length: pools }, () => []),
    used: new Int32Array(pools),
    over: new Int32Array(pools),
    refusedFrom: new Float64Array(pools).fill(Infinity),
  };
  let settled = 0;
  for (let level = 3; level >= 0; level--) {
    const turn = [];
    for (let unit = 0; unit < units.count; unit++) if (levelOf(state, unit) === level) turn.push(unit);
    for (const unit of turn) raise(state, unit);
    settleAll(state, turn, (asking) => say("placing", settled + turn.length - asking, units.count));
    settled += turn.length;
  }
  return state;
}

export function wishesOf({ market, units }, unit) {
  const { start } = market.wishes, first = units.first[unit];
  return [start[first], start[first + 1] - start[first]];
}

function levelOf(state, unit) {
  const [from, count] = wishesOf(state, unit);
  return count ? state.market.programmes.level[state.market.wishes.programme[from]] : -1;
}

/* The programme where a unit has come to rest, -1 for none. */
export function placeOf(state, unit) {
  const [from, count] = wishesOf(state, unit);
  return state.wish[unit] < count ? state.market.wishes.programme[from + state.wish[unit]] : -1;
}

/* The sibling rule: where the elder has been placed, the kindergarten's sibling tier, unless the own is better. */
function raise(state, unit) {
  const { units, market } = state;
  if (units.elder[unit] < 0) return;
  const there = placeOf(state, units.of[units.elder[unit]]);
  if (there < 0) return;
  const { home, siblingTier } = market.programmes, [from, count] = wishesOf(state, unit);
  for (let wish = from; wish < from + count; wish++) {
    const p = market.wishes.programme[wish];
    if (home[p] === home[there] && siblingTier[p] >= 0) units.tier[wish] = Math.min(units.tier[wish], siblingTier[p]);
  }
}

/* Whether every member of a unit is of a pool's groups. */
export function belongs({ market, units }, unit, q) {
  const groups = market.pools.groups[q], { groupStart, group } = market.children;
  if (groups === null) return true;
  for (let child = units.first[unit]; child >= 0; child = units.next[child]) {
    let found = false;
    for (let at = groupStart[child]; at < groupStart[child + 1] && !found; at++) found = groups.has(group[at]);
    if (!found) return false;
  }
  return true;
}

export function mayAsk(state, unit, q) {
  const { places, locked } = state.market.pools;
  return places[q] > 0 && (!locked[q] || belongs(state, unit, q));
}

/* Rounds, until nobody asks any more. */
function settleAll(state, turn, say) {
  const newcomers = new Map();
  let asking = turn;
  while (asking.length) {
    say(asking.length);
    newcomers.clear();
    for (const unit of asking) {
      const q = nextPool(state, unit);
      if (q < 0) continue;
      if (newcomers.has(q)) newcomers.get(q).push(unit); else newcomers.set(q, [unit]);
    }
    asking = [];
    for (const [q, asked] of newcomers) keepTheBest(state, q, asked, asking);
  }
}

/* The next pool that a unit may ask and that is not closed to it; -1 if its list has ended, or if it stands over. */
function nextPool(state, unit) {
  const { units, market, wish, pool, standing, refusedFrom } = state;
  const [from, count] = wishesOf(state, unit), { start } = market.pools;
  for (; wish[unit] < count; wish[unit]++, pool[unit] = 0) {
    const at = from + wish[unit], p = market.wishes.programme[at];
    const guaranteed = market.children.current[units.first[unit]] === p;
    for (; start[p] + pool[unit] < start[p + 1]; pool[unit]++) {
      const q = start[p] + pool[unit];
      if (!mayAsk(state, unit, q)) continue;
      standing[unit] = (guaranteed ? 0 : OWN) + (belongs(state, unit, q) ? 0 : OUTSIDER) + units.tier[at] * TIER + units.ticket[unit];
      if (standing[unit] < refusedFrom[q]) return q;
    }
    if (guaranteed) return standOver(state, unit, p);
  }
  return -1;
}

/* A guaranteed unit that no pool has room for stands over in the last one that it may ask. */
function standOver(state, unit, p) {
  const { start } = state.market.pools;
  let q = start[p + 1] - 1;
  while (q > start[p] && !mayAsk(state, unit, q)) q--;
  state.standsOver[unit] = mayAsk(state, unit, q) ? q : start[p + 1] - 1;
  state.over[state.standsOver[unit]] += state.units.size[unit];
  return -1;
}

/* The best of those held and those who asked, in order; who is refused asks on in the next round. */
function keepTheBest(state, q, asked, asking) {
  const { standing, units, used, refusedFrom, market } = state, list = state.held[q], places = market.pools.places[q];
  if (asked.length > 1) asked.sort((a, b) => standing[a] - standing[b]);
  for (let from = list.length - 1, new_ = asked.length - 1, to = from + asked.length; new_ >= 0; to--) {
    list[to] = from >= 0 && standing[list[from]] > standing[asked[new_]] ? list[from--] : asked[new_--];
  }
  let children = used[q];
  for (const unit of asked) children += units.size[unit];
  while (list.length) {
    const worst = list[list.length - 1], size = units.size[worst];
    if (market.close ? children <= places : children - size < places) break;
    list.pop();
    children -= size;
    refusedFrom[q] = Math.min(refusedFrom[q], standing[worst]);
    state.pool[worst]++;
    asking.push(worst);
  }
  used[q] = children;
}

/* The published line of a pool. */
export function line({ market, held, used, over, refusedFrom, standing }, q) {
  const filled = used[q] + over[q], places = market.pools.places[q];
  if (places > 0 && refusedFrom[q] === Infinity) return { state: "all", filled };
  const worst = places > 0 && held[q].length ? standing[held[q][held[q].length - 1]] : 0;
  if (worst < OWN) return { state: "none", filled };
  const outsider = worst - OWN >= OUTSIDER;
  const rest = worst - OWN - (outsider ? OUTSIDER : 0);
  return { state: "line", filled, eligible: outsider ? 0 : 1, tier: Math.floor(rest / TIER), ticket: rest % TIER };
}
