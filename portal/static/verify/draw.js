/* The draw again: what was committed, the seed from its public parts, and everybody's ticket. */

import { byCode } from "./market.js";
import { digestWords, fromHex, sha256Hex } from "./sha256.js";

const bytesOf = (text) => new TextEncoder().encode(text);

function joined(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}

function canonical(head) {
  return JSON.stringify(Object.fromEntries(Object.keys(head).sort(byCode).map((key) => [key, head[key]])));
}

/* SHA-256 over a line "digest, two spaces, name" for each file of the market, the seed taken as not drawn. */
export function commitment(files, head) {
  const fixed = new Map(files);
  fixed.set("market.json", bytesOf(canonical({ ...head, seed: null })));
  const names = [...fixed.keys()].sort(byCode);
  return sha256Hex(bytesOf(names.map((name) => `${sha256Hex(fixed.get(name))}  ${name}\n`).join("")));
}

export function seedOf(record) {
  return sha256Hex(joined(fromHex(record.commitment), bytesOf(record.beacon || ""), bytesOf(record.ceremony || "")));
}

/* Tickets from 1: families in the order of SHA-256(seed, family code), the children of a family by their codes. */
export function drawTickets(seed, children, say) {
  const prefix = fromHex(seed);
  const digest = new Map();
  for (const family of children.family) {
    if (digest.has(family)) continue;
    digest.set(family, digestWords(joined(prefix, bytesOf(family))));
    if (digest.size % 10000 === 0) say("tickets", digest.size, children.family.length);
  }
  const families = [...digest.keys()].sort((a, b) => {
    const x = digest.get(a), y = digest.get(b);
    for (let word = 0; word < 8; word++) if (x[word] !== y[word]) return (x[word] >>> 0) - (y[word] >>> 0);
    return byCode(a, b);
  });
  const members = new Map(families.map((family) => [family, []]));
  children.family.forEach((family, child) => members.get(family).push(child));
  const ticket = new Float64Array(children.code.length);
  let next = 1;
  for (const own of members.values()) {
    own.sort((a, b) => byCode(children.code[a], children.code[b]));
    for (const child of own) ticket[child] = next++;
  }
  return ticket;
}
