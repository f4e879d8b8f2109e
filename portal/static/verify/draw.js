/* The draw again: what was committed, the seed from its public parts, and everybody's ticket. */

import { canonical } from "./hash.js";
import { digestsBehind, fromHex, sha256Hex } from "./sha256.js";
import { bytesOf } from "./text.js";

function joined(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}

/* SHA-256 over a line "digest, two spaces, name" for each file of the market, the seed taken as not drawn. */
export function commitment(digests, head) {
  const fixed = new Map(digests);
  fixed.set("market.json", sha256Hex(bytesOf(canonical({ ...head, seed: null }))));
  const lines = [...fixed.keys()].sort().map((name) => `${fixed.get(name)}  ${name}\n`);
  return sha256Hex(bytesOf(lines.join("")));
}

export function seedOf(record) {
  return sha256Hex(joined(fromHex(record.commitment), bytesOf(record.beacon || ""), bytesOf(record.ceremony || "")));
}

/* Tickets from `after` + 1: families in the order of SHA-256(seed, family code), the children of a family by their codes.
   Children who hold a ticket keep it. */
export function drawTickets(seed, { codes, families, family }, say, held = null, after = 0) {
  const digest = digestsBehind(fromHex(seed)), count = families.count;
  const words = new Uint32Array(8 * count);
  for (let f = 0; f < count; f++) {
    if (f % 20000 === 0) say("tickets", f, count);
    digest(families.bytes, families.from[f], families.to[f], words, 8 * f);
  }
  const line = Int32Array.from({ length: count }, (_, f) => f).sort((a, b) => {
    for (let word = 0; word < 8; word++) if (words[8 * a + word] !== words[8 * b + word]) return words[8 * a + word] - words[8 * b + word];
    return 0;
  });
  const next = new Int32Array(count), size = new Int32Array(count);
  const joins = (child) => held === null || held[child] < 0;
  for (let child = 0; child < codes.count; child++) if (joins(child)) size[family[child]]++;
  let ticket = after + 1;
  for (const f of line) { next[f] = ticket; ticket += size[f]; }
  const tickets = new Float64Array(codes.count);
  for (const child of codes.inOrder()) tickets[child] = joins(child) ? next[family[child]]++ : held[child];
  return tickets;
}
