/* The public file of a draw: whether its seed, orders, lines and places agree. It holds no child's facts. */

import { commitment2 } from "./commitment.js";
import { Fault } from "./fault.js";
import { canonical } from "./hash.js";
import { readMarket } from "./market.js";
import { verifyOpening } from "./opening.js";
import { isSecond, readRecord, seedFault } from "./record.js";
import { sha256Hex } from "./sha256.js";
import { bytesOf, Codes, countLines, isDigest, isText, readJson, Rows, textOf } from "./text.js";

const ABOUT = "public.json", LARGEST = 2 ** 32 - 1, LARGEST_UNIT = 3, WORST_TIER = 15;
export const KNOWN = ["draw.json", ABOUT, "market.json", "programmes.csv", "pools.csv", "blocks.csv", "orders.csv", "digests.csv"];
const OPTIONAL = ["pools.csv", "digests.csv"];
export const BLOCK = [
  "block", "programme", "pool", "order", "places", "filled", "applicants", "state", "line_position", "line_eligible",
  "line_tier", "line_ticket", "reason", "line_commitment",
];
const EMPTY = { "children.csv": "child,family,unit,groups,elder,current\n", "wishes.csv": "child,rank,programme,tier\n", "salts.csv": "child,salt\n" };
export const REASONS = ["closed_by_unit", "guaranteed_over", "locked", "unit_over"];
export const OUTCOMES = ["admitted", "over", "better", "refused"];
export const [ADMITTED, OVER, BETTER, REFUSED] = [0, 1, 2, 3];

export const isPublic = (zip) => zip.has(ABOUT);

export async function verifyPublic(zip, say) {
  const files = new Map();
  for (const name of KNOWN) {
    if (zip.has(name)) files.set(name, await zip.get(name).bytes());
    else if (!OPTIONAL.includes(name)) throw new Fault("bad_missing", { file: name });
  }
  const found = readPublic(files, say);
  const steps = [step("files", filesFault(zip)), step("commitment", commitmentFault(found)), step("seed", seedFault(found.record, found.head))];
  const blocks = blocksFault(found);
  steps.push(step("digests", digestsFault(found)), step("blocks", blocks));
  if (!blocks) steps.push(step("orders", ordersFault(found)), step("places", placesFault(found)), step("seats", seatsFault(found)));
  const { record, head, about } = found, hidden = found.blocks.filter((block) => block.hidden).length;
  return { steps, record, head, children: about.children, hidden, blocks: found.blocks.length, open: (opening) => verifyOpening(found, opening) };
}

function step(name, fault) {
  return fault ? { step: name, ok: false, word: fault[0], values: fault[1] || {} } : { step: name, ok: true };
}

function readPublic(files, say) {
  const record = readRecord(files.get("draw.json")), about = readAbout(files.get(ABOUT));
  if (!isSecond(record)) throw new Fault("bad_json", { file: "draw.json" });
  const head = readJson(files.get("market.json"), "market.json");
  if (head.format !== "market/2") throw new Fault("bad_market", { file: "market.json" });
  const market = readPrograms(files, head);
  const blocks = readBlocks(files, about);
  return { files, record, about, head, market, blocks, orders: readOrders(files, blocks.length, say), digests: readDigests(files) };
}

function readAbout(bytes) {
  const given = readJson(bytes, ABOUT), number = (value) => Number.isSafeInteger(value) && value >= 0;
  const lists = (merged) => merged !== null && typeof merged === "object" && !Array.isArray(merged)
    && Object.values(merged).every((pools) => Array.isArray(pools) && pools.length > 1 && pools.every(isText));
  const good = given.format === "public/2" && number(given.run) && number(given.children) && isDigest(given.children_root)
    && (given.replays === null || number(given.replays)) && lists(given.merged);
  if (!good || Object.keys(given).length !== 6) throw new Fault("bad_json", { file: ABOUT });
  return given;
}

/* Programmes and pools, read as those of a market without children. */
function readPrograms(files, head) {
  const market = new Map(Object.entries(EMPTY).map(([name, text]) => [name, bytesOf(text)]));
  for (const name of ["programmes.csv", "pools.csv"]) if (files.has(name)) market.set(name, files.get(name));
  const empty = { ...head, seed: null };
  for (const key of ["children", "guaranteed"]) if (Number.isInteger(head[key])) empty[key] = 0;
  return readMarket(market.set("market.json", bytesOf(canonical(empty))), () => {});
}

function readBlocks(files, { merged }) {
  const rows = new Rows(files, "blocks.csv", BLOCK), blocks = [], at = Object.fromEntries(BLOCK.map((name, place) => [name, place]));
  while (rows.next()) {
    const code = rows.text(at.block), pool = rows.text(at.pool), numbers = ["line_eligible", "line_tier", "line_ticket"];
    const line = numbers.map((name) => rows.number(at[name], LARGEST, true)), position = rows.number(at.line_position, LARGEST, true);
    const state = rows.text(at.state), commitment = rows.text(at.line_commitment), reason = rows.text(at.reason);
    if (!["shown", "hidden"].includes(rows.text(at.order))) rows.refuse("bad_cell", at.order);
    if (!["", "all", "none", "line"].includes(state)) rows.refuse("bad_cell", at.state);
    if (commitment && !isDigest(commitment)) rows.refuse("bad_cell", at.line_commitment);
    blocks.push({
      code, programme: rows.text(at.programme), pools: pool ? [pool] : Object.hasOwn(merged, code) ? merged[code] : [],
      hidden: rows.text(at.order) === "hidden", places: rows.number(at.places, LARGEST), filled: rows.number(at.filled, LARGEST),
      applicants: rows.number(at.applicants, LARGEST), state, position, line: line.includes(-1) ? null : line,
      reasons: reason ? reason.split(";") : [], commitment,
    });
  }
  return blocks;
}

/* Row r says what became of entry r; `entries` and `seats` number the codes, `seat[r]` is -1 where there is none. */
function readOrders(files, count, say) {
  const file = "orders.csv", bytes = files.get(file), most = countLines(bytes), rows = new Rows(files, file, ["block", "position", "entry", "outcome", "nullifier"]);
  const found = {
    begin: new Int32Array(count + 1), block: new Int32Array(most), position: new Int32Array(most), outcome: new Uint8Array(most),
    entries: new Codes(bytes, most), entry: new Int32Array(most), seats: new Codes(bytes, most), seat: new Int32Array(most).fill(-1), count: 0, inOrder: true,
    entryTwice: "", seatTwice: "",
  };
  for (; rows.next(); found.count++) {
    const row = found.count, block = rows.number(0, LARGEST);
    if (row % 50000 === 0) say("reading", rows.at, bytes.length);
    if (block < 1 || block > count || (row && block < found.block[row - 1])) found.inOrder = false;
    found.block[row] = block;
    found.position[row] = rows.number(1, LARGEST);
    found.outcome[row] = OUTCOMES.indexOf(rows.text(3));
    if (!OUTCOMES.includes(rows.text(3))) rows.refuse("bad_cell", 3);
    found.entry[row] = addCode(rows, 2, found.entries, (code) => { found.entryTwice ||= code; });
    if (!rows.isEmpty(4)) found.seat[row] = addCode(rows, 4, found.seats, (code) => { found.seatTwice ||= code; });
  }
  for (let block = 1, row = 0; block <= count; block++) {
    while (row < found.count && found.block[row] <= block) row++;
    found.begin[block] = row;
  }
  return found;
}

/* A code of 32 hex digits. */
function addCode(rows, cell, codes, twice) {
  const from = rows.from[cell], to = rows.to[cell], before = codes.count;
  let good = to - from === 32;
  for (let at = from; at < to && good; at++) good = (rows.bytes[at] >= 48 && rows.bytes[at] <= 57) || (rows.bytes[at] >= 97 && rows.bytes[at] <= 102);
  if (!good) rows.refuse("bad_cell", cell);
  const number = codes.add(from, to);
  if (number < before) twice(rows.text(cell));
  return number;
}

function readDigests(files) {
  if (!files.has("digests.csv")) return null;
  const rows = new Rows(files, "digests.csv", ["digest", "children"]), found = [];
  while (rows.next()) {
    if (!isDigest(rows.text(0))) rows.refuse("bad_cell", 0);
    found.push([rows.text(0), rows.number(1, LARGEST)]);
  }
  return found;
}

function filesFault(zip) {
  const strange = [...zip.keys()].filter((name) => !KNOWN.includes(name) && !name.endsWith("/"));
  const damaged = [...zip.values()].filter((entry) => entry.damaged).map(({ name }) => name);
  if (damaged.length) return ["wrong_damaged", { file: damaged.join(", ") }];
  return strange.length ? ["wrong_extra", { file: strange.join(", ").slice(0, 200) }] : null;
}

function commitmentFault({ files, head, about, record }) {
  const digests = new Map([...files].map(([name, bytes]) => [name, sha256Hex(bytes)]));
  const ours = commitment2(digests, head, about.children_root);
  if (ours !== record.commitment) return ["wrong_commitment", { published: record.commitment, ours, file: "" }];
  return head.children === about.children ? null : ["wrong_children", { ours: head.children, published: about.children }];
}

function digestsFault({ digests, record, about, head }) {
  if ((record.seed === null) !== (digests === null)) return ["wrong_missing", { file: "digests.csv" }];
  if (digests === null) return null;
  const drawn = digests.reduce((sum, [, children]) => sum + children, 0);
  const rising = digests.every(([digest, children], place) => children > 0 && (place === 0 || digest > digests[place - 1][0]));
  const complete = drawn === about.children || (drawn < about.children && head.after > 0);
  return rising && complete ? null : ["wrong_digests", { n: drawn, of: about.children }];
}

/* The blocks are the pools of the programmes, each once, with their places. */
function blocksFault(found) {
  const { market, blocks, orders } = found, { pools, programmes } = market, seen = new Set();
  found.poolOf = new Map();
  for (let p = 0; p < programmes.places.length; p++) {
    for (let q = pools.start[p]; q < pools.start[p + 1]; q++) found.poolOf.set(`${programmes.codes.text(p)}\n${textOf(pools.name[q])}`, q);
  }
  found.blockOf = new Map();
  for (const [place, block] of blocks.entries()) {
    const own = block.pools.map((name) => found.poolOf.get(`${block.programme}\n${name}`));
    if (block.code !== String(place + 1) || !own.length || own.some((q) => q === undefined || seen.has(q)) || new Set(own).size < own.length) {
      return ["wrong_blocks", { block: block.code, programme: block.programme }];
    }
    for (const q of own) { seen.add(q); found.blockOf.set(q, place); }
    const places = own.reduce((sum, q) => sum + pools.places[q], 0);
    if (places !== block.places) return ["wrong_block_places", { block: block.code, programme: block.programme, published: block.places, ours: places }];
    if (!cellsAgree(block)) return ["wrong_line", { block: block.code, programme: block.programme }];
  }
  for (let q = 0; q < pools.places.length; q++) if (pools.places[q] > 0 && !seen.has(q)) return ["wrong_blocks", { block: textOf(pools.name[q]) }];
  return orders.inOrder ? null : ["wrong_blocks", { block: "orders.csv" }];
}

function cellsAgree({ hidden, state, line, position, commitment, pools }) {
  if (hidden) return state === "" && line === null && position < 0 && commitment !== "";
  const drawn = state === "line";
  return pools.length === 1 && state !== "" && commitment === "" && (line !== null) === drawn && (position >= 0) === drawn;
}

const rowsOf = ({ orders }, place) => [orders.begin[place], orders.begin[place + 1]];

function count(found, place, outcome) {
  const [from, to] = rowsOf(found, place);
  let many = 0;
  for (let row = from; row < to; row++) if (found.orders.outcome[row] === outcome) many++;
  return many;
}

function ordersFault(found) {
  const { blocks, orders } = found;
  for (const [place, block] of blocks.entries()) {
    const [from, to] = rowsOf(found, place);
    if (to - from !== block.applicants) return ["wrong_positions", { block: block.code, programme: block.programme }];
    for (let row = from; row < to; row++) {
      if (orders.position[row] !== row - from + 1) return ["wrong_positions", { block: block.code, programme: block.programme }];
      if (block.hidden && row > from && orders.entries.text(orders.entry[row]) <= orders.entries.text(orders.entry[row - 1])) return ["wrong_positions", { block: block.code, programme: block.programme }];
    }
    const fault = block.hidden ? null : lineFault(found, place, block);
    if (fault) return fault;
  }
  return null;
}

function lineFault(found, place, block) {
  const { orders, record, head, about } = found, [from, to] = rowsOf(found, place);
  let last = 0, refused = 0;
  for (let row = from; row < to; row++) {
    if (orders.outcome[row] === ADMITTED) last = row - from + 1;
    if (orders.outcome[row] === REFUSED) refused ||= row - from + 1;
  }
  if (refused && refused < last) return ["wrong_order", { block: block.code, programme: block.programme, position: refused, last }];
  const all = block.state === "all";
  if ((all && refused) || !(all || refused || count(found, place, OVER))) return ["wrong_line", { block: block.code, programme: block.programme }];
  if (!block.line) return null;
  const [eligible, tier, ticket] = block.line, most = (head.after ?? 0) + about.children;
  const possible = eligible <= 1 && tier <= WORST_TIER && ticket >= 1 && (record.seed === null || ticket <= most);
  return possible && block.position === last ? null : ["wrong_line", { block: block.code, programme: block.programme }];
}

function placesFault(found) {
  for (const [place, block] of found.blocks.entries()) {
    const { code, filled, places, reasons } = block, { close } = found.market, most = block.pools.length * (LARGEST_UNIT - 1);
    const over = count(found, place, OVER), refused = count(found, place, REFUSED);
    if (filled !== count(found, place, ADMITTED) + over) return ["wrong_filled", { block: code, programme: block.programme, filled }];
    if (!reasons.every((reason) => REASONS.includes(reason)) || over > 0 !== reasons.includes("guaranteed_over")) return ["wrong_reason", { block: code, programme: block.programme }];
    const above = filled - over - places, free = places - filled;
    if (above > 0 && !(reasons.includes("unit_over") && !close && above <= most)) return ["wrong_overfull", { block: code, programme: block.programme, filled, places }];
    const locked = reasons.includes("locked") && block.hidden && hasLockedPool(found, block);
    const closed = reasons.includes("closed_by_unit") && close && (free <= most || locked);
    if (refused && free > 0 && !locked && !closed) return ["wrong_empty", { block: code, programme: block.programme, refused, free }];
  }
  return null;
}

function hasLockedPool({ market, poolOf }, { programme, pools }) {
  return pools.some((name) => market.pools.locked[poolOf.get(`${programme}\n${name}`)]);
}

/* No entry twice, no child in two places, and a nullifier at each place. */
function seatsFault({ orders, head }) {
  const over = orders.outcome.subarray(0, orders.count).reduce((sum, outcome) => sum + (outcome === OVER ? 1 : 0), 0);
  if (over > head.guaranteed) return ["wrong_guarantees", { n: over, of: head.guaranteed }];
  if (orders.seatTwice) return ["wrong_two_places", { value: orders.seatTwice }];
  if (orders.entryTwice) return ["wrong_entry_twice", { value: orders.entryTwice }];
  for (let row = 0; row < orders.count; row++) {
    if ((orders.seat[row] >= 0) !== (orders.outcome[row] <= OVER)) return ["wrong_seats", { block: String(orders.block[row]) }];
  }
  return null;
}
