/* The opening of one child against the public file: its facts, its ticket, and that its result is the first wish whose line
   it meets. Only the child's guardians have it; it stays on the device. */

import { isCode } from "./codes.js";
import { byCodePoints, leaf, rootOf } from "./commitment.js";
import { Fault } from "./fault.js";
import { canonical, taggedHash, toHex } from "./hash.js";
import { fromHex, sha256Hex } from "./sha256.js";
import { bytesOf, isDigest, isText, readJson, textOf } from "./text.js";

const FIELDS = ["state", "eligible", "tier", "ticket"], CODE_BYTES = 16, DEEPEST = 64;
const FACTS = "child,current,elder,family,groups,ticket,unit,wishes", PROOF = "facts,path,salt";
const KEYS = "commitment,digest,elder,facts,family,format,hidden,path,result,run,salt,ticket,unit,wishes";
const OUTCOMES = ["admitted", "over", "better", "refused"], [ADMITTED, OVER, BETTER, REFUSED] = [0, 1, 2, 3];

const isList = (value, each) => Array.isArray(value) && value.every(each);
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const hasKeys = (value, keys) => isObject(value) && Object.keys(value).sort().join() === keys;
const isName = (value) => typeof value === "string" && isCode(value);
const orNull = (test) => (value) => value === null || test(value);

/* Throws for what cannot be an opening at all; the rest of this module relies on it. */
export function readOpening(bytes) {
  const given = readJson(bytes, "opening");
  const good = given.format === "opening/2" && hasKeys(given, KEYS) && Number.isSafeInteger(given.run) && isDigest(given.commitment)
    && isProof(given) && isList(given.unit, (proof) => hasKeys(proof, PROOF) && isProof(proof)) && given.unit.length < 4
    && orNull(isElder)(given.elder) && orNull(Number.isSafeInteger)(given.ticket) && orNull(isDigest)(given.digest)
    && orNull((family) => isList(family, isName))(given.family) && (given.family === null) === (given.digest === null)
    && isList(given.wishes, isWish) && given.wishes.length === given.facts.wishes.length
    && isObject(given.hidden) && Object.keys(given.hidden).every(isText) && Object.values(given.hidden).every(isHidden)
    && orNull(isResult)(given.result);
  if (!good) throw new Fault("bad_opening");
  return given;
}

function isProof({ facts, salt, path }) {
  return hasKeys(facts, FACTS) && isName(facts.child) && isName(facts.family) && [facts.unit, facts.elder, facts.current].every(orNull(isName))
    && orNull(Number.isSafeInteger)(facts.ticket) && isList(facts.groups, isName)
    && isList(facts.wishes, (wish) => Array.isArray(wish) && wish.length === 3 && Number.isSafeInteger(wish[0]) && isName(wish[1]) && Number.isSafeInteger(wish[2]))
    && isDigest(salt) && isList(path, (part) => Array.isArray(part) && part.length === 2 && ["L", "R"].includes(part[0]) && isDigest(part[1])) && path.length <= DEEPEST;
}

function isElder(elder) {
  return hasKeys(elder, "seat") ? orNull(isText)(elder.seat) : hasKeys(elder, PROOF) && isProof(elder);
}

function isWish(wish) {
  const isTold = (told) => hasKeys(told, "block,entry,outcome,position") && [told.block, told.entry, told.outcome].every(isText) && Number.isSafeInteger(told.position);
  return hasKeys(wish, "blocks,programme,rank,tier") && [wish.rank, wish.tier].every(Number.isSafeInteger) && isName(wish.programme) && isList(wish.blocks, isTold);
}

function isResult(result) {
  return hasKeys(result, "block,pool,programme,rank") && Number.isSafeInteger(result.rank) && [result.block, result.pool, result.programme].every(isText);
}

function isHidden(told) {
  const isOpened = (each) => Array.isArray(each) && each.length === 4 && each.every(isText) && FIELDS.includes(each[1]) && isDigest(each[3]);
  return hasKeys(told, "fields,opened") && isList(told.fields, isDigest) && isList(told.opened, isOpened);
}

/* { steps, found }: the steps as in verify.js, and the child's wishes as family_page.js shows them. */
export function verifyOpening(file, opening) {
  const members = [opening, ...opening.unit], { salt, facts } = opening;
  const check = { file, opening, members, facts, faults: { facts: null, ticket: null, result: null }, outcomes: new Map(), shown: [] };
  factsFault(check);
  let ticket = null;
  if (!check.faults.facts) ticket = ticketOfUnit(check);
  if (!check.faults.facts && ticket !== null) walk(check, ticket, seatCode(salt, file.about.run));
  const steps = Object.entries(check.faults).filter(([name]) => name === "facts" || !check.faults.facts)
    .map(([name, fault]) => (fault ? { step: `opening_${name}`, ok: false, word: fault[0], values: fault[1] || {} } : { step: `opening_${name}`, ok: true }));
  return { steps, found: { code: facts.child, ticket: ticket ?? opening.ticket, bound: members.length, wishes: check.shown } };
}

function note(check, step, word, values = {}) {
  check.faults[step] ||= [word, values];
}

function factsFault(check) {
  const { file, opening, members, facts } = check, { elder } = opening;
  if (opening.run !== file.about.run || opening.commitment !== file.record.commitment) return note(check, "facts", "wrong_other_draw");
  for (const proof of [...members, ...(elder?.facts ? [elder] : [])]) {
    const root = rootOf(leaf(proof.salt, canonical(proof.facts)), proof.path);
    if (root !== file.about.children_root) note(check, "facts", "wrong_facts", { value: proof.facts.child });
  }
  const list = (one) => canonical(one.wishes.map(([, programme]) => programme));
  const same = members.every((one) => one.facts.family === facts.family && one.facts.unit === facts.unit && list(one.facts) === list(facts));
  const distinct = new Set(members.map((one) => one.facts.child)).size === members.length;
  if (!same || !distinct || (members.length > 1 && facts.unit === null)) note(check, "facts", "wrong_unit");
  if ((elder === null) !== (facts.elder === null) || (elder?.facts && elder.facts.child !== facts.elder)) note(check, "facts", "wrong_elder");
  return undefined;
}

/* The ticket that was committed, else the one that the seed gives the family; null if there is none. */
function ticketOf({ file, opening }, facts) {
  const family = opening.family || [], { seed } = file.record;
  if (facts.ticket !== null) return facts.ticket;
  const place = family.indexOf(facts.child);
  if (seed === null || place < 0 || family.some((code, at) => at > 0 && byCodePoints(family[at - 1], code) >= 0)) return null;
  const digest = digestOf(seed, facts.family);
  let before = 0;
  for (const [each, children] of file.digests || []) {
    if (each === digest) return children === family.length ? (file.head.after ?? 0) + before + 1 + place : null;
    before += children;
  }
  return null;
}

function digestOf(seed, family) {
  const code = bytesOf(family), both = new Uint8Array(32 + code.length);
  both.set(fromHex(seed));
  both.set(code, 32);
  return sha256Hex(both);
}

function ticketOfUnit(check) {
  const { file, opening, members, facts } = check, tickets = members.map((one) => ticketOf(check, one.facts)), own = tickets[0];
  if (tickets.includes(null) || own !== opening.ticket) note(check, "ticket", "wrong_ticket", { told: opening.ticket ?? "–", ours: own ?? "–" });
  else if (opening.digest !== null && file.record.seed !== null && digestOf(file.record.seed, facts.family) !== opening.digest) note(check, "ticket", "wrong_digest");
  const known = tickets.filter((ticket) => ticket !== null);
  return known.length ? Math.min(...known) : null;
}

function entryCode(salt, programme, block, run) {
  return toHex(taggedHash("entry/2", fromHex(salt), bytesOf(programme), bytesOf(block), bytesOf(String(run))).subarray(0, CODE_BYTES));
}

function seatCode(salt, run) {
  return toHex(taggedHash("seat/2", fromHex(salt), bytesOf(String(run))).subarray(0, CODE_BYTES));
}

/* The row in orders.csv of an entry, or of a nullifier; -1 if there is none. */
function rowOf(numbers, codes, code) {
  const number = codes.find(bytesOf(code));
  return number < 0 ? -1 : numbers.indexOf(number);
}

/* The place of the block where a nullifier stands; null if it, or its block, is not in the file. */
function blockOfSeat({ orders, blocks }, seat) {
  const row = rowOf(orders.seat, orders.seats, seat), place = row < 0 ? -1 : orders.block[row] - 1;
  return place >= 0 && place < blocks.length ? place : null;
}

function walk(check, ticket, seat) {
  const { file, opening, facts } = check, seated = blockOfSeat(file, seat), home = elderHome(check);
  hiddenFaults(check);
  let placed = null;
  facts.wishes.forEach(([rank, programme], step) => {
    const p = file.market.programmes.codes.find(bytesOf(programme)), tier = tierOf(check, step, p, home), told = opening.wishes[step];
    if (told.rank !== rank || told.programme !== programme || told.tier !== tier) note(check, "result", "wrong_tier", { n: rank, told: told.tier + 1, ours: tier + 1 });
    if (p < 0) return note(check, "result", "wrong_no_entry", { n: rank, block: programme });
    const before = new Set(check.outcomes.keys()), wish = { rank, programme, tier, own: facts.wishes[step][2], guaranteed: facts.current === programme, pools: [], pool: "" };
    const here = wish.guaranteed && placed === null ? guaranteed(check, programme, seated, wish) : askPools(check, p, { rank, tier, ticket, done: placed !== null }, wish);
    if (here !== null) placed ||= { step, block: here };
    wish.reason ||= here !== null ? "placed" : placed ? "placed_higher" : reasonOf(check, wish, tier);
    check.shown.push(wish);
    for (const block of check.outcomes.keys()) if (!before.has(block)) entryFault(check, rank, programme, block, told.blocks);
    return undefined;
  });
  resultFault(check, placed, seated);
}

/* The block that admits the child, null if none does; notes what each block must say. */
function askPools(check, p, { rank, tier, ticket, done }, wish) {
  const { file } = check, { pools } = file.market;
  let admitted = null;
  for (let q = pools.start[p]; q < pools.start[p + 1]; q++) {
    const mine = belongs(check, q), name = textOf(pools.name[q]), asked = pools.places[q] > 0 && (mine || !pools.locked[q]);
    const block = file.blockOf.get(q), line = asked && block !== undefined && !(done || admitted !== null) ? lineOf(check, block, name) : null;
    wish.pools.push({ name, places: pools.places[q], mine, asked, ...shownLine(line), hidden: !line && asked });
    if (!asked || block === undefined) continue;
    if (done || admitted !== null) { expect(check, block, BETTER); continue; }
    wish.pool = name;
    const admits = line && admitsOf(line, [Number(mine), tier, ticket]);
    if (admits === null) note(check, "result", "wrong_line_closed", { n: rank, block: file.blocks[block].code, programme: file.blocks[block].programme });
    else expect(check, block, admits ? ADMITTED : REFUSED);
    if (admits) admitted = block;
  }
  return admitted;
}

/* A guaranteed child gets a place in one of the pools; which of them does not follow from the lines. */
function guaranteed(check, programme, seated, wish) {
  if (seated === null || check.file.blocks[seated].programme !== programme) {
    note(check, "result", "wrong_guaranteed");
    wish.reason = "no_places";
    return null;
  }
  expect(check, seated, OVER);
  return seated;
}

function expect({ outcomes }, block, outcome) {
  outcomes.set(block, Math.min(outcome, outcomes.get(block) ?? REFUSED));
}

function belongs({ file, members }, q) {
  const { groups, listed } = file.market.pools;
  if (groups[q] === null) return true;
  const codes = listed[q].split(";");
  return members.every((one) => one.facts.groups.some((group) => codes.includes(group)));
}

/* The worst tier of the bound children; the sibling tier where all name one elder who is placed there. */
function tierOf({ file, members }, step, p, home) {
  const tier = Math.max(...members.map((one) => one.facts.wishes[step][2])), { programmes } = file.market;
  const one = members.every((other) => other.facts.elder === members[0].facts.elder);
  return p >= 0 && one && home !== null && programmes.home[p] === home && programmes.siblingTier[p] >= 0 ? Math.min(tier, programmes.siblingTier[p]) : tier;
}

function elderHome({ file, opening: { elder } }) {
  const seat = elder === null ? null : elder.facts ? seatCode(elder.salt, file.about.run) : elder.seat;
  const block = seat === null ? null : blockOfSeat(file, seat);
  return block === null ? null : file.market.programmes.home[file.market.programmes.codes.find(bytesOf(file.blocks[block].programme))];
}

/* What is opened of a hidden line must be what was published with its commitment. */
function hiddenFaults(check) {
  for (const [code, { fields, opened }] of Object.entries(check.opening.hidden)) {
    const block = check.file.blocks.find((each) => each.code === code), right = block && fields.length === FIELDS.length * block.pools.length;
    const whole = right && toHex(taggedHash("lines/2", ...fields.map(fromHex))) === block.commitment;
    const parts = whole && opened.every(([pool, name, value, salt]) => {
      const place = block.pools.indexOf(pool);
      return place >= 0 && fields[FIELDS.length * place + FIELDS.indexOf(name)] === toHex(taggedHash("line/2", fromHex(salt), bytesOf(value)));
    });
    if (!parts) note(check, "result", "wrong_hidden_line", { block: code, programme: block?.programme });
  }
}

/* The fields of a line that are known, null if there are none. */
function lineOf({ file, opening }, place, pool) {
  const block = file.blocks[place];
  if (!block.hidden) return { state: block.state, ...(block.line ? { eligible: String(block.line[0]), tier: String(block.line[1]), ticket: String(block.line[2]) } : {}) };
  const told = Object.hasOwn(opening.hidden, block.code) ? opening.hidden[block.code].opened.filter(([of]) => of === pool) : [];
  return told.length ? Object.fromEntries(told.map(([, name, value]) => [name, value])) : null;
}

function shownLine(line) {
  const number = (text) => (text ? Number(text) : undefined);
  return line ? { state: line.state, eligible: number(line.eligible), tier: number(line.tier), ticket: number(line.ticket) } : {};
}

/* Whether a line admits a child with [eligible, tier, ticket]; null if a field that decides is not opened. */
function admitsOf(line, mine) {
  if (line.state === "all" || line.state === "none") return line.state === "all";
  if (line.state !== "line") return null;
  for (const [place, name] of ["eligible", "tier", "ticket"].entries()) {
    if (!/^[0-9]+$/.test(line[name] || "")) return null;
    const own = mine[place], last = Number(line[name]);
    if (own !== last) return (own < last) === (place > 0);
  }
  return true;
}

function reasonOf({ file }, { pools, pool, programme }, tier) {
  const last = pools.find(({ name }) => name === pool);
  if (!last) return pools.some(({ places }) => places > 0) ? "not_eligible" : "no_places";
  const block = file.blocks[file.blockOf.get(file.poolOf.get(`${programme}\n${pool}`))];
  if (block.reasons.includes("closed_by_unit") && !block.hidden) return "closed_by_unit";
  if (last.state !== "line") return "no_places";
  if (last.eligible === 1 && !last.mine) return "not_eligible";
  return last.tier !== undefined && tier > last.tier ? "tier_below_cutoff" : "ticket_after_cutoff";
}

/* The child's entry stands in the block, with the outcome that follows from the lines. */
function entryFault(check, rank, programme, place, told) {
  const { file, opening, outcomes } = check, { orders } = file, { code } = file.blocks[place];
  const entry = entryCode(opening.salt, programme, code, file.about.run), row = rowOf(orders.entry, orders.entries, entry);
  if (row < 0 || orders.block[row] !== place + 1) return note(check, "result", "wrong_no_entry", { n: rank, block: code, programme });
  const outcome = orders.outcome[row], expected = outcomes.get(place);
  if (outcome !== expected && !(expected === OVER && outcome === ADMITTED)) note(check, "result", "wrong_outcome", { n: rank, block: code, programme, told: OUTCOMES[outcome], ours: OUTCOMES[expected] });
  const shown = { block: code, entry, position: orders.position[row], outcome: OUTCOMES[outcome] };
  if (!told.some((each) => canonical(each) === canonical(shown))) note(check, "result", "wrong_told", { n: rank, block: code, programme });
  return undefined;
}

function resultFault(check, placed, seated) {
  const { opening, facts, file } = check, told = opening.result;
  const expected = placed && { rank: facts.wishes[placed.step][0], programme: facts.wishes[placed.step][1], block: file.blocks[placed.block].code };
  const given = told && { rank: told.rank, programme: told.programme, block: told.block };
  if (canonical(given) !== canonical(expected)) note(check, "result", "wrong_result", { told: given?.rank ?? "–", ours: expected?.rank ?? "–" });
  if (seated !== (placed ? placed.block : null)) note(check, "result", "wrong_place");
}
