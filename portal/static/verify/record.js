/* draw.json: what was published before and at the draw, in its two formats. */

import { commitment2, seedOf2 } from "./commitment.js";
import { commitment, seedOf } from "./draw.js";
import { isForm, isSpelled } from "./draw_form.js";
import { Fault } from "./fault.js";
import { canonical } from "./hash.js";
import { isDigest, isText, readJson } from "./text.js";

const FIRST = ["commitment", "commitment_time", "beacon", "beacon_name", "ceremony", "seed"];
const SECOND = ["format", "commitment", "commitment_time", "form", "beacon", "ceremony", "seed", "witnesses", "corrections"];

export const isSecond = (record) => record.format === "draw/2";

const hasKeys = (value, keys) => value !== null && typeof value === "object" && Object.keys(value).sort().join() === keys;

const OTHERS = {
  seed: (value) => value === null || isDigest(value),
  commitment: isDigest,
  form: (value) => value === null || isForm(value),
  witnesses: (value) => Array.isArray(value) && value.every(isWitness),
  corrections: (value) => Array.isArray(value) && value.every((each) => hasKeys(each, "commitment,reason,time") && Object.values(each).every(isText)),
};

function isWitness(each) {
  return hasKeys(each, "names,part") && ["ceremony", "beacon"].includes(each.part) && Array.isArray(each.names) && each.names.every(isText);
}

export function readRecord(bytes) {
  const record = readJson(bytes, "draw.json"), keys = isSecond(record) ? SECOND : FIRST;
  const right = ([key, value]) => keys.includes(key) && (OTHERS[key] || isText)(value);
  if (!("commitment" in record) || !Object.entries(record).every(right)) throw new Fault("bad_json", { file: "draw.json" });
  return record;
}

/* The commitment of a market's files; `root` is that of its children's facts. */
export function commitmentOf(digests, head, root) {
  return head.format === "market/2" ? commitment2(digests, head, root) : commitment(digests, head);
}

/* What is wrong with the seed: a word and its values, or null. */
export function seedFault(record, head) {
  const published = record.seed ?? null;
  if ((head.seed ?? null) !== published) return ["wrong_seed_noted"];
  if (isSecond(record)) {
    if (canonical(record.form ?? null) !== canonical(head.draw_form ?? null)) return ["wrong_form"];
    if (published === null) return null;
    if (!record.form) return ["wrong_form"];
    for (const part of ["ceremony", "beacon"]) {
      if (!isSpelled(record.form[part], record[part] || "")) return ["wrong_part", { value: record[part] || "" }];
    }
  }
  if (published === null) return null;
  const ours = isSecond(record) ? seedOf2(record) : seedOf(record);
  return ours === published ? null : ["wrong_seed", { ours, published }];
}
