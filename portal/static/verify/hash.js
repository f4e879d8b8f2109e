/* SHA-256 over parts that each have their length before them, so that no byte can move from one part to the next; and JSON
   in the one spelling that is hashed. */

import { digestWords } from "./sha256.js";
import { bytesOf } from "./text.js";

/* 32 bytes. */
export function taggedHash(tag, ...parts) {
  const all = [bytesOf(tag), ...parts];
  const joined = new Uint8Array(all.reduce((sum, part) => sum + 8 + part.length, 0)), view = new DataView(joined.buffer);
  let at = 0;
  for (const part of all) {
    view.setUint32(at + 4, part.length); // no part has four gigabytes
    joined.set(part, at + 8);
    at += 8 + part.length;
  }
  const digest = new Uint8Array(32), words = new DataView(digest.buffer);
  digestWords(joined).forEach((word, place) => words.setInt32(4 * place, word));
  return digest;
}

export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/* JSON with sorted keys and no spaces. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}
