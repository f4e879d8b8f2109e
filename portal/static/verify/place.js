/* Places the children: each unit asks pool after pool down its list; a pool keeps the best and refuses the rest.
   Written apart from the solver on the server, with sorted lists where that one has heaps. */

const OWN = 2 ** 37, OUTSIDER = 2 ** 36, TIER = 2 ** 32;

/* Children that are bound, or one alone: members, ticket, guaranteed programme, elder. */
function formUnits(market, ticket) {
  const { children } = market;
  const units = [], of = new Int32Array(children.code.length), bound = new Map();
  children.code.forEach((_, child) => {
    const name = children.unit[child];
    let unit = name === "" ? undefined : bound.get(name);
    if (unit === undefined) {
      unit = units.length;
      units.push({ members: [], ticket: Infinity, current: children.current[child], elder: children.elder[child] });
      if (name !== "") bound.set(name, unit);
    }
    units[unit].members.push(child);
    units[unit].ticket = Math.min(units[unit].ticket, ticket[child]);
    if (units[unit].elder !== children.elder[child]) units[unit].elder = -1;
    of[child] = unit;
  });
  return { units, of };
}

/* The tiers that count: the worst of the members, here before the sibling rule. */
function unitTiers(market, unit) {
  const { start, tier } = market.wishes;
  const length = start[unit.members[0] + 1] - start[unit.members[0]];
  const own = new Uint8Array(length);
  for (const child of unit.members) {
    for (let step = 0; step < length; step++) own[step] = Math.max(own[step], tier[start[child] + step]);
  }
  return own;
}

export function place(market, ticket, say) {
  const { programmes, children, wishes } = market;
  const { units, of } = formUnits(market, ticket);
  const pools = programmes.pools.map((list) => list.map((pool) => (
    { ...pool, standings: [], units: [], used: 0, over: 0, refusedFrom: Infinity }
  )));
  units.forEach((unit) => {
    const first = wishes.start[unit.members[0]], last = wishes.start[unit.members[0] + 1];
    unit.wishes = wishes.programme.subarray(first, last);
    unit.tiers = unitTiers(market, unit);
    unit.level = unit.wishes.length ? programmes.level[unit.wishes[0]] : -1;
    unit.wish = 0;
    unit.pool = 0;
    unit.standsOver = -1;
  });
  const state = { market, units, of, pools, children };
  let done = 0;
  for (let level = 3; level >= -1; level--) {
    const turn = units.filter((unit) => unit.level === level);
    for (const unit of turn) raise(state, unit);
    for (const unit of turn) {
      settle(state, unit);
      if (++done % 10000 === 0) say("placing", done, units.length);
    }
  }
  return state;
}

/* The sibling rule: where the elder has been placed, the kindergarten's sibling tier, unless the own is better. */
function raise(state, unit) {
  if (unit.elder < 0) return;
  const elder = state.units[state.of[unit.elder]];
  if (elder.wish >= elder.wishes.length) return;
  const { home, siblingTier } = state.market.programmes;
  const where = home[elder.wishes[elder.wish]];
  unit.wishes.forEach((p, step) => {
    if (home[p] === where && siblingTier[p] >= 0) unit.tiers[step] = Math.min(unit.tiers[step], siblingTier[p]);
  });
}

export function belongsTo(state, unit, pool) {
  return pool.groups === null || unit.members.every((child) => {
    const own = state.children.groups[child];
    return own !== null && own.some((group) => pool.groups.has(group));
  });
}

/* Lets a unit ask until it is kept or its list ends, and then each one that it displaced. */
function settle(state, first) {
  const waiting = [first];
  while (waiting.length) {
    const unit = waiting.pop();
    while (unit.wish < unit.wishes.length && !askAll(state, unit, waiting)) {
      unit.wish++;
      unit.pool = 0;
    }
  }
}

/* Asks the pools of the wish that the unit has come to. True if it is kept, for now or standing over. */
function askAll(state, unit, waiting) {
  const programme = unit.wishes[unit.wish];
  const pools = state.pools[programme];
  const guaranteed = unit.current === programme;
  for (; unit.pool < pools.length; unit.pool++) {
    const pool = pools[unit.pool];
    const belongs = belongsTo(state, unit, pool);
    if (pool.places === 0 || (pool.locked && !belongs)) continue;
    const standing = (guaranteed ? 0 : OWN) + (belongs ? 0 : OUTSIDER) + unit.tiers[unit.wish] * TIER + unit.ticket;
    if (standing < pool.refusedFrom && keep(state, pool, unit, standing, waiting)) return true;
  }
  if (!guaranteed) return false;
  const mayAsk = pools.map((pool) => pool.places > 0 && (!pool.locked || belongsTo(state, unit, pool)));
  unit.standsOver = mayAsk.includes(true) ? mayAsk.lastIndexOf(true) : pools.length - 1;
  pools[unit.standsOver].over += unit.members.length;
  return true;
}

/* Puts the unit into the pool's list and takes out who no longer has a place. False if that is the unit itself. */
function keep(state, pool, unit, standing, waiting) {
  let low = 0, high = pool.standings.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pool.standings[middle] < standing) low = middle + 1; else high = middle;
  }
  pool.standings.splice(low, 0, standing);
  pool.units.splice(low, 0, unit);
  pool.used += unit.members.length;
  let kept = true;
  for (;;) {
    const worst = pool.units[pool.units.length - 1];
    if (!worst) break;
    const size = worst.members.length;
    if (state.market.close ? pool.used <= pool.places : pool.used - size < pool.places) break;
    pool.units.pop();
    pool.refusedFrom = Math.min(pool.refusedFrom, pool.standings.pop());
    pool.used -= size;
    if (worst === unit) { kept = false; continue; }
    worst.pool++;
    waiting.push(worst);
  }
  return kept;
}

/* The published line of a pool. */
export function line(pool) {
  const filled = pool.used + pool.over;
  if (pool.places > 0 && pool.refusedFrom === Infinity) return { state: "all", filled };
  const worst = pool.places > 0 ? pool.standings[pool.standings.length - 1] : undefined;
  if (worst === undefined || worst < OWN) return { state: "none", filled };
  const outsider = worst - OWN >= OUTSIDER;
  const rest = worst - OWN - (outsider ? OUTSIDER : 0);
  return { state: "line", filled, eligible: outsider ? 0 : 1, tier: Math.floor(rest / TIER), ticket: rest % TIER };
}
