/* What was committed in draw/2: the public files as they are, and one root over the facts of all children. */

import { canonical, taggedHash, toHex } from "./hash.js";
import { fromHex, sha256Hex } from "./sha256.js";
import { bytesOf } from "./text.js";

const PUBLIC = ["market.json", "programmes.csv", "pools.csv"];

/* `digests` maps the files' names to their digests. */
export function commitment2(digests, head, root) {
  const lines = new Map(PUBLIC.filter((name) => digests.has(name)).map((name) => [name, digests.get(name)]));
  lines.set("market.json", sha256Hex(bytesOf(canonical({ ...head, seed: null })))).set("children.root", root);
  return sha256Hex(bytesOf([...lines.keys()].sort().map((name) => `${lines.get(name)}  ${name}\n`).join("")));
}

export function seedOf2({ commitment, form, beacon = "", ceremony = "" }) {
  return toHex(taggedHash("seed/2", fromHex(commitment), bytesOf(canonical(form)), bytesOf(beacon), bytesOf(ceremony)));
}

/* The leaf of a child. */
export function leaf(salt, facts) {
  return taggedHash("child/2", fromHex(salt), bytesOf(facts));
}

/* The root to which a path leads. */
export function rootOf(node, path) {
  for (const [side, other] of path) {
    node = side === "L" ? taggedHash("node/2", fromHex(other), node) : taggedHash("node/2", node, fromHex(other));
  }
  return toHex(node);
}

/* The root over all children of a market. An odd last node is carried up unchanged. */
export function childrenRoot(market, say) {
  const { codes } = market.children, order = codes.inOrder();
  let level = [], done = 0;
  for (const child of order) {
    if (done++ % 5000 === 0) say("committing", done, codes.count);
    level.push(leaf(market.salts[child], facts(market, child)));
  }
  if (!level.length) return toHex(taggedHash("empty/2"));
  while (level.length > 1) {
    const above = [];
    for (let at = 0; at + 1 < level.length; at += 2) above.push(taggedHash("node/2", level[at], level[at + 1]));
    if (level.length % 2) above.push(level.at(-1));
    level = above;
  }
  return toHex(level[0]);
}

/* The canonical JSON of a child's facts. */
function facts({ children, programmes, wishes, held }, child) {
  const { codes, families, family, unit, units, groupStart, group, groupCodes, elder, current } = children;
  const groups = [...new Set(group.subarray(groupStart[child], groupStart[child + 1]))].map((one) => groupCodes.text(one));
  const list = [];
  for (let at = wishes.start[child]; at < wishes.start[child + 1]; at++) {
    list.push([wishes.rank[at], programmes.codes.text(wishes.programme[at]), wishes.tier[at]]);
  }
  return canonical({
    child: codes.text(child), family: families.text(family[child]), unit: unit[child] < 0 ? null : units.text(unit[child]),
    groups: groups.sort(byCodePoints), elder: elder[child] < 0 ? null : codes.text(elder[child]),
    current: current[child] < 0 ? null : programmes.codes.text(current[child]),
    ticket: held && held[child] >= 0 ? held[child] : null, wishes: list,
  });
}

/* As UTF-8 orders texts; JavaScript compares halves of characters. */
export function byCodePoints(a, b) {
  const [left, right] = [bytesOf(a), bytesOf(b)];
  for (let i = 0; i < left.length && i < right.length; i++) if (left[i] !== right[i]) return left[i] - right[i];
  return left.length - right.length;
}
