/* Opens a zip file piece by piece, so that a large one need not fit into memory. Stored entries, and deflated ones. */

import { Fault } from "./fault.js";
import { textOf } from "./text.js";

const END = 0x06054b50, ENTRY = 0x02014b50, LOCAL = 0x04034b50;
const LARGEST = 2 ** 30, MOST_TIMES_SMALLER = 200; // more is no table of a city, but an attack
const SMALL = 2 ** 20;
const STORED = 0, DEFLATED = 8;

const CRC = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/* The file: a small one is held, of a large one the browser gives us pieces. */
class Source {
  constructor(blob, held) {
    this.blob = blob;
    this.held = held;
    this.size = blob.size;
  }

  async view(from, to) {
    if (!this.held) return new DataView(await this.blob.slice(from, to).arrayBuffer());
    const part = this.held.subarray(from, to);
    return new DataView(part.buffer, part.byteOffset, part.byteLength);
  }

  /* A reader of the bytes in a piece, or null and the bytes themselves. */
  piece(from, to, inflate) {
    if (this.held && !inflate) return [null, this.held.subarray(from, to)];
    const stream = this.blob.slice(from, to).stream();
    return [(inflate ? stream.pipeThrough(new DecompressionStream("deflate-raw")) : stream).getReader(), new Uint8Array(0)];
  }
}

class Entry {
  constructor(source, view, at) {
    this.source = source;
    this.flags = view.getUint16(at + 8, true);
    this.method = view.getUint16(at + 10, true);
    this.crc = view.getInt32(at + 16, true);
    this.packed = view.getUint32(at + 20, true);
    this.size = view.getUint32(at + 24, true);
    this.local = view.getUint32(at + 42, true);
    const lengths = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    if (at + 46 + lengths[0] > view.byteLength) throw new Fault("bad_zip");
    this.name = textOf(new Uint8Array(view.buffer, view.byteOffset + at + 46, lengths[0]));
    this.next = at + 46 + lengths[0] + lengths[1] + lengths[2];
  }

  async refuseNonsense() {
    const file = this.name;
    if ((this.method !== STORED && this.method !== DEFLATED) || this.flags & 1) throw new Fault("bad_compression", { file });
    const large = this.size > LARGEST || this.size > MOST_TIMES_SMALLER * this.packed + 2 ** 20;
    if (large) throw new Fault("bad_size", { file, size: Math.round(this.size / 2 ** 20) });
    const view = await this.source.view(this.local, this.local + 30 + 65536);
    if (view.byteLength < 30 || view.getUint32(0, true) !== LOCAL) throw new Fault("bad_zip");
    const length = view.getUint16(26, true);
    this.from = this.local + 30 + length + view.getUint16(28, true);
    const same = view.byteLength >= 30 + length && textOf(new Uint8Array(view.buffer, view.byteOffset + 30, length)) === file;
    const fits = this.from + this.packed <= this.source.size && (this.method === DEFLATED || this.packed === this.size);
    if (!same || !fits) throw new Fault("bad_zip");
  }

  reader() {
    return new Reader(this);
  }

  /* The whole content. */
  async bytes() {
    const reader = this.reader();
    const all = await reader.take(this.size);
    await reader.close();
    this.damaged = reader.damaged;
    return all;
  }
}

/* The content of an entry from its beginning to its end. */
class Reader {
  constructor(entry) {
    this.entry = entry;
    [this.stream, this.held] = entry.source.piece(entry.from, entry.from + entry.packed, entry.method === DEFLATED);
    this.read = 0;
    this.crc = -1;
    this.damaged = false;
  }

  /* The next `length` bytes, fewer at the end. */
  async take(length) {
    const all = new Uint8Array(Math.min(length, this.entry.size - this.read));
    let filled = 0;
    while (filled < all.length && (this.held.length || (await this.more()))) {
      const part = this.held.subarray(0, all.length - filled);
      all.set(part, filled);
      filled += part.length;
      this.held = this.held.subarray(part.length);
    }
    this.read += filled;
    for (let at = 0; at < filled; at++) this.crc = CRC[(this.crc ^ all[at]) & 255] ^ (this.crc >>> 8);
    return all.subarray(0, filled);
  }

  async more() {
    if (!this.stream) return false;
    try {
      const { done, value } = await this.stream.read();
      if (!done) this.held = value;
      return !done;
    } catch {
      throw new Fault("bad_inflate", { file: this.entry.name });
    }
  }

  /* Call at the end: says whether the content is what the zip file itself notes of it. */
  async close() {
    const whole = this.read === this.entry.size && !this.held.length && !(await this.more());
    this.damaged = !whole || ~this.crc !== this.entry.crc;
    await this.stream?.cancel();
  }
}

/* A map from each entry's name to the entry. */
export async function openZip(blob) {
  const source = new Source(blob, blob.size <= SMALL ? new Uint8Array(await blob.arrayBuffer()) : null);
  const tail = await source.view(Math.max(0, blob.size - 22 - 65535), blob.size);
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== END) end--;
  if (end < 0) {
    const head = await source.view(0, 4);
    throw new Fault(head.byteLength === 4 && head.getUint32(0, true) === LOCAL ? "bad_cut" : "bad_no_zip");
  }
  const from = tail.getUint32(end + 16, true), size = tail.getUint32(end + 12, true);
  const view = await source.view(from, from + size);
  const found = new Map();
  let at = 0;
  for (let left = tail.getUint16(end + 10, true); left > 0; left--) {
    if (at + 46 > view.byteLength || view.getUint32(at, true) !== ENTRY) throw new Fault("bad_zip");
    const entry = new Entry(source, view, at);
    if (found.has(entry.name)) throw new Fault("bad_double", { file: entry.name });
    await entry.refuseNonsense();
    found.set(entry.name, entry);
    at = entry.next;
  }
  return found;
}
