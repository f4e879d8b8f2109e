/* The declared form of a seed's public parts. Every value of a form has one spelling; the definition is that of
   allocation/draw_form.py. */

const MOST_NUMBERS = 100, LARGEST = 1e9, MOST_DIGITS = 256, MOST_GROUPS = 10, LONGEST_NAME = 200;
const GROUP = ["count", "least", "most", "distinct", "order"], BEACON = ["name", "issue", "published_at"];

function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function hasKeys(value, keys) {
  return isObject(value) && Object.keys(value).length === keys.length && keys.every((key) => Object.hasOwn(value, key));
}

function isWhole(value, least, most) {
  return Number.isInteger(value) && least <= value && value <= most;
}

/* Whether an object of `draw.json` or `market.json` is a form, written in its one way. */
export function isForm(form) {
  if (!hasKeys(form, ["ceremony", "beacon"]) || (form.ceremony === null && form.beacon === null)) return false;
  return (form.ceremony === null || isPart(form.ceremony, [])) && (form.beacon === null || isBeacon(form.beacon));
}

function isBeacon(part) {
  return isPart(part, BEACON) && isName(part.name) && (part.issue === null || isName(part.issue)) && isTime(part.published_at);
}

function isName(text) {
  if (typeof text !== "string" || text.trim() !== text) return false;
  const length = Array.from(text).length;
  return length > 0 && length <= LONGEST_NAME && !/[\p{C}\p{Z}]/u.test(text.replaceAll(" ", ""));
}

function isTime(text) {
  if (text === null) return true;
  if (typeof text !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return false;
  const moment = new Date(text);
  return !Number.isNaN(moment.getTime()) && moment.toISOString() === text.replace("Z", ".000Z");
}

function isPart(part, more) {
  if (part?.kind === "hex") return hasKeys(part, ["kind", "digits", ...more]) && isWhole(part.digits, 1, MOST_DIGITS);
  if (part?.kind !== "integers") return false;
  if (!Object.hasOwn(part, "groups")) return hasKeys(part, ["kind", ...GROUP, ...more]) && isGroup(part);
  const { groups } = part, many = Array.isArray(groups) && groups.length >= 2 && groups.length <= MOST_GROUPS;
  return hasKeys(part, ["kind", "groups", ...more]) && many && groups.every((group) => hasKeys(group, GROUP) && isGroup(group));
}

function isGroup({ count, least, most, distinct, order }) {
  const numbers = isWhole(count, 1, MOST_NUMBERS) && isWhole(least, 0, LARGEST) && isWhole(most, least, LARGEST);
  const words = typeof distinct === "boolean" && ["drawn", "sorted"].includes(order);
  return numbers && words && !(distinct && most - least + 1 < count);
}

/* Whether a value is there where it is declared, in the one spelling of its part, and not where it is not declared. */
export function isSpelled(part, text) {
  if (part === null) return text === "";
  if (part.kind === "hex") return text.length === part.digits && /^[0-9a-f]*$/.test(text);
  const groups = part.groups || [part], pieces = text.split(" + ");
  return pieces.length === groups.length && groups.every((group, place) => areNumbers(group, pieces[place].split(" ")));
}

function areNumbers({ count, least, most, distinct, order }, words) {
  const numbers = words.map(Number);
  const good = words.length === count && words.every((word, place) => /^(0|[1-9][0-9]*)$/.test(word) && isWhole(numbers[place], least, most));
  const rising = numbers.every((number, place) => place === 0 || number >= numbers[place - 1]);
  return good && (!distinct || new Set(numbers).size === count) && (order !== "sorted" || rising);
}
