/* Codes and rows straight from the bytes of a file: a city's files have millions of cells, too many to make strings of. */

import { areCode } from "./codes.js";
import { Fault } from "./fault.js";

const COMMA = 44, SEMICOLON = 59, LINE_END = 10, CARRIAGE_RETURN = 13, PIECE = 1 << 20;
const utf8 = new TextDecoder();

export const bytesOf = (text) => new TextEncoder().encode(text);
export const textOf = (bytes, from = 0, to = bytes.length) => utf8.decode(bytes.subarray(from, to));

/* Whether all bytes are UTF-8; piece by piece, so that no large text is made. */
function areUtf8(bytes) {
  const strict = new TextDecoder("utf-8", { fatal: true });
  try {
    for (let at = 0; at < bytes.length; at += PIECE) strict.decode(bytes.subarray(at, at + PIECE), { stream: true });
    strict.decode();
    return true;
  } catch {
    return false;
  }
}

/* Whether a value is a text that UTF-8 can hold; JSON can also write one half of a surrogate pair. */
export function isText(value) {
  return typeof value === "string" && !/[\ud800-\udfff]/u.test(value);
}

export function isDigest(value) {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

/* The JSON object in a file. */
export function readJson(bytes, file) {
  try {
    const found = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (found !== null && typeof found === "object" && !Array.isArray(found)) return found;
  } catch { /* said below */ }
  throw new Fault("bad_json", { file });
}

export function countLines(bytes) {
  let lines = 1;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === LINE_END) lines++;
  return lines;
}

/* Negative, 0 or positive as a stands before, at or after b. UTF-8 bytes stand in the order of code points. */
function compare(a, fromA, toA, b, fromB, toB) {
  const shared = Math.min(toA - fromA, toB - fromB);
  for (let i = 0; i < shared; i++) {
    const difference = a[fromA + i] - b[fromB + i];
    if (difference) return difference;
  }
  return toA - fromA - (toB - fromB);
}

/* Distinct codes, numbered from 0 in the order in which they were added; each is a piece of `bytes`. */
export class Codes {
  constructor(bytes, most) {
    this.bytes = bytes;
    this.count = 0;
    this.from = new Int32Array(most);
    this.to = new Int32Array(most);
    this.slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * most + 2))).fill(-1);
  }

  slotOf(bytes, from, to) {
    let hash = 0x811c9dc5;
    for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at], 0x01000193);
    const mask = this.slots.length - 1;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const code = this.slots[slot];
      if (code < 0 || compare(this.bytes, this.from[code], this.to[code], bytes, from, to) === 0) return slot;
      slot = (slot + 1) & mask;
    }
  }

  /* The number of this code, -1 if it was never added. */
  find(bytes, from = 0, to = bytes.length) {
    return this.slots[this.slotOf(bytes, from, to)];
  }

  /* The number of this code, added if it is new. */
  add(from, to) {
    const slot = this.slotOf(this.bytes, from, to);
    if (this.slots[slot] < 0) {
      this.slots[slot] = this.count;
      this.from[this.count] = from;
      this.to[this.count++] = to;
    }
    return this.slots[slot];
  }

  text(code) {
    return textOf(this.bytes, this.from[code], this.to[code]);
  }

  /* All numbers in the order of their codes. */
  inOrder() {
    const { bytes, from, to } = this;
    const order = Int32Array.from({ length: this.count }, (_, code) => code);
    const by = (a, b) => compare(bytes, from[a], to[a], bytes, from[b], to[b]);
    for (let code = 1; code < this.count; code++) if (by(code - 1, code) > 0) return order.sort(by);
    return order;
  }
}

/* The rows of a CSV file, one after the other: cell c of the present row is bytes[from[c]..to[c]]. */
export class Rows {
  constructor(files, file, columns) {
    this.bytes = files.get(file);
    if (!this.bytes) throw new Fault("bad_missing", { file });
    if (this.bytes.includes(CARRIAGE_RETURN) || !areUtf8(this.bytes)) throw new Fault("bad_text", { file });
    this.file = file;
    this.columns = columns;
    this.row = 1;
    this.at = this.bytes.indexOf(LINE_END) + 1 || this.bytes.length;
    const header = textOf(this.bytes, 0, this.at).replace(/\n$/, "").split(",");
    this.place = header.map((column) => columns.indexOf(column));
    if (header.length !== columns.length || columns.some((column) => !header.includes(column))) throw new Fault("bad_header", { file });
    this.from = new Int32Array(columns.length);
    this.to = new Int32Array(columns.length);
  }

  next() {
    const { bytes, place, from, to } = this;
    if (this.at >= bytes.length) return false;
    this.row++;
    let at = this.at, start = at;
    for (let cell = 0; ; at++) {
      const byte = at < bytes.length ? bytes[at] : LINE_END;
      if (byte !== COMMA && byte !== LINE_END) continue;
      if (cell >= place.length) this.refuse("bad_row");
      from[place[cell]] = start;
      to[place[cell]] = at;
      cell++;
      start = at + 1;
      if (byte === COMMA) continue;
      if (cell < place.length) this.refuse("bad_row");
      break;
    }
    this.at = at + 1;
    return true;
  }

  isEmpty(cell) {
    return this.from[cell] === this.to[cell];
  }

  text(cell) {
    return textOf(this.bytes, this.from[cell], this.to[cell]);
  }

  /* A whole number up to `most`; -1 for an empty cell where that is allowed. */
  number(cell, most, mayBeEmpty = false) {
    const { bytes } = this, from = this.from[cell], to = this.to[cell];
    if (from === to && mayBeEmpty) return -1;
    let value = 0, good = to > from && to - from <= 10 && (bytes[from] !== 48 || to - from === 1);
    for (let at = from; at < to && good; at++) {
      good = bytes[at] >= 48 && bytes[at] <= 57;
      value = 10 * value + bytes[at] - 48;
    }
    if (!good || value > most) this.refuse("bad_cell", cell);
    return value;
  }

  /* The number of the cell's code among `codes`; -1 for an empty cell where that is allowed. */
  code(cell, codes, mayBeEmpty = false) {
    if (mayBeEmpty && this.isEmpty(cell)) return -1;
    const found = codes.find(this.bytes, this.from[cell], this.to[cell]);
    if (found < 0) this.refuse("bad_unknown", cell);
    return found;
  }

  /* Refuses a cell, or a part of it, that is no code. */
  mustBeCode(cell, from = this.from[cell], to = this.to[cell]) {
    if (!areCode(this.bytes, from, to)) this.refuse("bad_cell", cell);
  }

  /* Calls `take(from, to)` for each of the codes in a cell, which are joined by semicolons. */
  eachCode(cell, take) {
    if (this.isEmpty(cell)) return;
    for (let from = this.from[cell], at = from, end = this.to[cell]; at <= end; at++) {
      if (at < end && this.bytes[at] !== SEMICOLON) continue;
      this.mustBeCode(cell, from, at);
      take(from, at);
      from = at + 1;
    }
  }

  /* The number of a code that stands here for the first time. */
  newCode(cell, codes) {
    const before = codes.count;
    this.mustBeCode(cell);
    if (codes.add(this.from[cell], this.to[cell]) < before) this.refuse("bad_twice", cell);
    return before;
  }

  refuse(word, cell = -1) {
    const where = { file: this.file, row: this.row };
    throw new Fault(word, cell < 0 ? where : { ...where, column: this.columns[cell], value: this.text(cell).slice(0, 80) });
  }
}
