/* What a code may look like; the same definition as in allocation/files/codes.py. A code is a text in Unicode normal form C
   of 1 to 100 characters, with none of these characters and with no blank at either end. */

const LONGEST_CODE = 100, BLANK = 0x20;

/* First and last of each range of characters that no code contains. */
export const FORBIDDEN = [
  [0x00, 0x1f], [0x22, 0x22], [0x2c, 0x2c], [0x7f, 0xa0], [0xad, 0xad], [0x34f, 0x34f], [0x61c, 0x61c], [0x115f, 0x1160],
  [0x1680, 0x1680], [0x17b4, 0x17b5], [0x180b, 0x180f], [0x2000, 0x200f], [0x2028, 0x202f], [0x205f, 0x206f],
  [0x2800, 0x2800], [0x3000, 0x3000], [0x3164, 0x3164], [0xd800, 0xf8ff], [0xfdd0, 0xfdef], [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff], [0xffa0, 0xffa0], [0xfff0, 0xfffb], [0xfffe, 0xffff], [0x1bca0, 0x1bca3], [0x1d173, 0x1d17a],
];
for (let plane = 0x10000; plane < 0xe0000; plane += 0x10000) FORBIDDEN.push([plane + 0xfffe, plane + 0xffff]);
FORBIDDEN.push([0xe0000, 0x10ffff]);

const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= BLANK && byte < 0x7f && byte !== 0x22 && byte !== 0x2c ? 1 : 0));
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function isCode(text) {
  const characters = Array.from(text);
  if (!characters.length || characters.length > LONGEST_CODE || text.startsWith(" ") || text.endsWith(" ")) return false;
  return text.normalize("NFC") === text && !characters.some((each) => isForbidden(each.codePointAt(0)));
}

function isForbidden(character) {
  return FORBIDDEN.some(([first, last]) => first <= character && character <= last);
}

/* Whether bytes[from..to] are a code in UTF-8. Most codes are plain ASCII, for which no text is made. */
export function areCode(bytes, from, to) {
  let plain = true;
  for (let at = from; at < to && plain; at++) plain = PLAIN[bytes[at]] === 1;
  if (plain) return to > from && to - from <= LONGEST_CODE && bytes[from] !== BLANK && bytes[to - 1] !== BLANK;
  try {
    return isCode(utf8.decode(bytes.subarray(from, to)));
  } catch {
    return false;
  }
}
