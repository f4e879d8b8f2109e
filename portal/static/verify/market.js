/* Reads the files of a market into columns of numbers. Faults are for the maker of the file; here one is enough to stop. */

import { isCode } from "./codes.js";
import { isForm } from "./draw_form.js";
import { Fault } from "./fault.js";
import { bytesOf, Codes, countLines, isDigest, isText, readJson, Rows, textOf } from "./text.js";

export const MARKET_FILES = ["market.json", "programmes.csv", "pools.csv", "children.csv", "wishes.csv", "tickets.csv", "salts.csv"];
export const LEVELS = ["nursery", "lower", "middle", "upper"];
export const NATURES = ["public", "inclusive", "private"];
const WORST_TIER = 15, MOST_PLACES = 1e6, MOST_POOLS = 16, LARGEST_UNIT = 3, GENERAL = "general";
const LARGEST_RANK = 2 ** 31 - 1, LARGEST_PRECEDENCE = 2 ** 31 - 1, LARGEST_TICKET = 2 ** 32 - 1;
const HEAD = { format: "", season: "", round: "main", seed: null, pair_rule: "overhang" };
const HEAD_2 = { ...HEAD, after: 0, children: null, guaranteed: null, draw_form: null };
const isSecond = ({ format }) => format === "market/2";

/* `files` maps names to bytes; those of the wishes are let go when they have been read. */
export function readMarket(files, say) {
  const head = readHead(files);
  const close = head.pair_rule === "close";
  const programmes = readProgrammes(files);
  const children = readChildren(files, programmes);
  const pools = readPools(files, programmes, children.groupCodes);
  const wishes = readWishes(files, programmes, children, say);
  refuseUnequalUnits(children, wishes);
  refuseUnknownOrder(children, wishes, programmes);
  const held = files.has("tickets.csv") ? readTickets(files, children, head) : null;
  const ticket = held && held.includes(-1) ? null : held;
  if (files.has("salts.csv") !== isSecond(head)) throw new Fault("bad_missing", { file: "salts.csv" });
  const salts = isSecond(head) ? readSalts(files, children) : null;
  const kept = children.current.reduce((sum, each, child) => sum + (child < children.codes.count && each >= 0 ? 1 : 0), 0);
  if (isSecond(head) && (head.children !== children.codes.count || head.guaranteed !== kept)) throw new Fault("bad_market", { file: "market.json" });
  return { head, close, programmes, children, pools, wishes, ticket, held, salts };
}

function readHead(files) {
  const file = "market.json", given = readJson(files.get(file) || new Uint8Array(), file);
  const all = isSecond(given) ? HEAD_2 : HEAD, head = { ...all, ...given };
  const known = Object.keys(given).every((key) => Object.hasOwn(all, key)) && (all === HEAD || isDeclared(head));
  const named = [head.season, head.round].every((text) => isText(text) && (text === "" || isCode(text)));
  const rules = ["overhang", "close"].includes(head.pair_rule) && (head.seed === null || isDigest(head.seed));
  if (!["market/1", "market/2"].includes(head.format) || !known || !named || !rules) throw new Fault("bad_market", { file });
  return given;
}

/* What only market/2 has. */
function isDeclared({ after, children, guaranteed, draw_form, seed }) {
  const numbers = [after, children, guaranteed].every((number) => Number.isInteger(number) && number >= 0 && number <= LARGEST_TICKET);
  return numbers && (draw_form === null ? seed === null : isForm(draw_form));
}

function numberedFile(files, file) {
  const bytes = files.get(file);
  if (!bytes) throw new Fault("bad_missing", { file });
  return [bytes, countLines(bytes)];
}

function readProgrammes(files) {
  const file = "programmes.csv", [bytes, most] = numberedFile(files, file);
  const rows = new Rows(files, file, ["programme", "kindergarten", "level", "nature", "area", "places", "sibling_tier"]);
  const codes = new Codes(bytes, most), homes = new Codes(bytes, most), areas = new Codes(bytes, most);
  const home = [], level = [], nature = [], area = [], places = [], siblingTier = [];
  while (rows.next()) {
    rows.newCode(0, codes);
    rows.mustBeCode(1);
    rows.mustBeCode(4);
    home.push(homes.add(rows.from[1], rows.to[1]));
    level.push(LEVELS.indexOf(rows.text(2)));
    nature.push(NATURES.indexOf(rows.text(3)));
    area.push(areas.add(rows.from[4], rows.to[4]));
    places.push(rows.number(5, MOST_PLACES));
    siblingTier.push(rows.number(6, WORST_TIER, true));
    if (level.at(-1) < 0) rows.refuse("bad_cell", 2);
    if (nature.at(-1) < 0) rows.refuse("bad_cell", 3);
  }
  return { codes, home, level, nature, area, areas, places, siblingTier };
}

/* Programme p has the pools start[p] to start[p + 1] in precedence order; what they leave is the general pool, last
   unless it is listed. `groups` of a pool are numbers of the children's groups, null for everybody. */
function readPools(files, programmes, groupCodes) {
  const listed = programmes.places.map(() => []);
  if (files.has("pools.csv")) {
    const rows = new Rows(files, "pools.csv", ["programme", "pool", "precedence", "places", "groups", "unclaimed"]);
    while (rows.next()) {
      const own = listed[rows.code(0, programmes.codes)], name = rows.text(1), precedence = rows.number(2, LARGEST_PRECEDENCE);
      const places = rows.number(3, MOST_PLACES, name === GENERAL), locked = rows.text(5) === "locked";
      rows.mustBeCode(1);
      if (own.some((pool) => pool.name === name)) rows.refuse("bad_twice", 1);
      if (own.some((pool) => pool.precedence === precedence)) rows.refuse("bad_twice", 2);
      if (!locked && rows.text(5) !== "open") rows.refuse("bad_cell", 5);
      if (name === GENERAL && (locked || !rows.isEmpty(4))) rows.refuse("bad_cell", 4);
      own.push({ name, precedence, places, groups: rows.isEmpty(4) ? null : groupsOf(rows, groupCodes), locked, listed: rows.text(4) });
    }
  }
  const found = { start: new Int32Array(listed.length + 1), name: [], places: [], groups: [], locked: [], listed: [] };
  listed.forEach((own, programme) => {
    for (const pool of inOrder(own, programmes.places[programme], programmes.codes.text(programme))) {
      found.name.push(bytesOf(pool.name));
      for (const column of ["places", "groups", "locked", "listed"]) found[column].push(pool[column]);
    }
    found.start[programme + 1] = found.name.length;
  });
  return found;
}

function groupsOf(rows, groupCodes) {
  const groups = new Set();
  rows.eachCode(4, (from, to) => groups.add(groupCodes.find(rows.bytes, from, to)));
  return groups;
}

function inOrder(own, total, value) {
  const rest = total - own.reduce((sum, pool) => sum + Math.max(pool.places, 0), 0);
  const general = own.find((pool) => pool.name === GENERAL);
  if (rest < 0 || (general && general.places >= 0 && rest > 0)) throw new Fault("bad_places", { file: "pools.csv", value });
  if (general && general.places < 0) general.places = rest;
  own.sort((a, b) => a.precedence - b.precedence);
  if (!general && (rest > 0 || own.length === 0)) own.push({ name: GENERAL, places: rest, groups: null, locked: false, listed: "" });
  if (own.length > MOST_POOLS) throw new Fault("bad_places", { file: "pools.csv", value });
  return own;
}

function readChildren(files, programmes) {
  const file = "children.csv", [bytes, most] = numberedFile(files, file);
  const rows = new Rows(files, file, ["child", "family", "unit", "groups", "elder", "current"]);
  const codes = new Codes(bytes, most), families = new Codes(bytes, most);
  const units = new Codes(bytes, most), groupCodes = new Codes(bytes, countGroups(bytes) + most);
  const family = new Int32Array(most), unit = new Int32Array(most), current = new Int32Array(most);
  const groupStart = new Int32Array(most + 1), group = [], elders = [];
  while (rows.next()) {
    const child = rows.newCode(0, codes);
    rows.mustBeCode(1);
    if (!rows.isEmpty(2)) rows.mustBeCode(2);
    family[child] = families.add(rows.from[1], rows.to[1]);
    unit[child] = rows.isEmpty(2) ? -1 : units.add(rows.from[2], rows.to[2]);
    rows.eachCode(3, (from, to) => group.push(groupCodes.add(from, to)));
    groupStart[child + 1] = group.length;
    if (!rows.isEmpty(4)) elders.push([child, rows.from[4], rows.to[4], rows.row]);
    current[child] = rows.code(5, programmes.codes, true);
  }
  const elder = new Int32Array(codes.count).fill(-1);
  for (const [child, from, to, row] of elders) {
    elder[child] = codes.find(bytes, from, to);
    if (elder[child] < 0) throw new Fault("bad_unknown", { file, row, column: "elder", value: textOf(bytes, from, to) });
  }
  return { codes, families, family, unit, units, groupStart, group: Int32Array.from(group), groupCodes, elder, current };
}

function countGroups(bytes) {
  let count = 0;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === 59) count++;
  return count;
}

/* The wishes of child i are programme[start[i]] to programme[start[i + 1]], best first, and rank[…] their numbers in its list. */
function readWishes(files, programmes, children, say) {
  const file = "wishes.csv", [bytes, most] = numberedFile(files, file), count = children.codes.count;
  const rows = new Rows(files, file, ["child", "rank", "programme", "tier"]);
  const child = new Int32Array(most), rank = new Int32Array(most), wished = new Int32Array(most), tiers = new Uint8Array(most);
  const start = new Int32Array(count + 1);
  let row = 0;
  for (; rows.next(); row++) {
    if (row % 50000 === 0) say("reading", rows.at, bytes.length);
    child[row] = rows.code(0, children.codes);
    rank[row] = rows.number(1, LARGEST_RANK);
    if (rank[row] < 1) rows.refuse("bad_cell", 1);
    wished[row] = rows.code(2, programmes.codes);
    tiers[row] = rows.number(3, WORST_TIER);
    start[child[row] + 1]++;
  }
  for (let i = 0; i < count; i++) start[i + 1] += start[i];
  const order = new Int32Array(row), filled = start.slice();
  for (let i = 0; i < row; i++) order[filled[child[i]]++] = i;
  for (let i = 0; i < count; i++) {
    const own = order.subarray(start[i], start[i + 1]);
    if (own.some((each, at) => at > 0 && rank[each] < rank[own[at - 1]])) own.sort((a, b) => rank[a] - rank[b] || a - b);
    const twice = own.find((each, at) => at > 0 && rank[each] === rank[own[at - 1]]);
    if (twice !== undefined) throw new Fault("bad_ranks", { file, row: twice + 2 });
  }
  const take = (column, kind) => kind.from(order, (each) => column[each]);
  files.delete(file);
  return { start, programme: take(wished, Int32Array), tier: take(tiers, Uint8Array), rank: take(rank, Int32Array) };
}

/* Bound children are of one family, at most three, and hand in the same wishes. */
function refuseUnequalUnits({ codes, unit, units, family, current }, { start, programme }) {
  const first = new Int32Array(units.count).fill(-1), size = new Int32Array(units.count);
  for (let child = 0; child < codes.count; child++) {
    if (unit[child] < 0) continue;
    const other = first[unit[child]];
    if (other < 0) first[unit[child]] = child;
    let same = ++size[unit[child]] <= LARGEST_UNIT;
    if (other >= 0) {
      same &&= family[child] === family[other] && current[child] === current[other];
      same &&= start[child + 1] - start[child] === start[other + 1] - start[other];
      for (let step = start[child + 1] - start[child] - 1; step >= 0 && same; step--) {
        same = programme[start[child] + step] === programme[start[other] + step];
      }
    }
    if (!same) throw new Fault("bad_unit", { file: "children.csv", value: codes.text(child) });
  }
}

/* A child wishes once for a programme and in one class level; its elder is in an older one; its own place is wished for. */
function refuseUnknownOrder({ codes, elder, current }, { start, programme }, { level }) {
  const levelOf = (child) => (start[child] < start[child + 1] ? level[programme[start[child]]] : -1);
  for (let child = 0; child < codes.count; child++) {
    let good = current[child] < 0;
    for (let wish = start[child]; wish < start[child + 1]; wish++) {
      for (let before = start[child]; before < wish; before++) {
        if (programme[before] === programme[wish]) throw new Fault("bad_wishes", { file: "wishes.csv", value: codes.text(child) });
      }
      if (level[programme[wish]] !== levelOf(child)) throw new Fault("bad_wishes", { file: "wishes.csv", value: codes.text(child) });
      good ||= programme[wish] === current[child];
    }
    if (elder[child] >= 0) {
      const own = levelOf(child), older = levelOf(elder[child]);
      good &&= elder[child] !== child && (own < 0 || older < 0 || older > own);
    }
    if (!good) throw new Fault("bad_child", { file: "children.csv", value: codes.text(child) });
  }
}

/* The ticket that each child holds, -1 for none; in market/2 the seed draws those who have none. */
function readTickets(files, { codes }, head) {
  const file = "tickets.csv";
  const rows = new Rows(files, file, ["child", "ticket"]);
  const ticket = new Float64Array(codes.count).fill(-1);
  while (rows.next()) {
    const child = rows.code(0, codes);
    if (ticket[child] >= 0) rows.refuse("bad_twice", 0);
    ticket[child] = rows.number(1, LARGEST_TICKET);
    if (isSecond(head) && (head.draw_form ?? null) !== null && ticket[child] > (head.after ?? 0)) rows.refuse("bad_cell", 1);
  }
  const without = ticket.indexOf(-1);
  if (without >= 0 && !isSecond(head)) throw new Fault("bad_no_ticket", { file, value: codes.text(without) });
  const sorted = ticket.filter((each) => each >= 0).sort();
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) throw new Fault("bad_same_ticket", { file, value: String(sorted[i]) });
  return ticket;
}

function readSalts(files, { codes }) {
  const file = "salts.csv", rows = new Rows(files, file, ["child", "salt"]), salts = new Array(codes.count).fill("");
  while (rows.next()) {
    const child = rows.code(0, codes);
    if (salts[child]) rows.refuse("bad_twice", 0);
    salts[child] = rows.text(1);
    if (!isDigest(salts[child])) rows.refuse("bad_cell", 1);
  }
  const without = salts.indexOf("");
  if (without >= 0) throw new Fault("bad_no_salt", { file, value: codes.text(without) });
  return salts;
}
