/* SHA-256 (FIPS 180-4). The browser's own is missing on pages without https, and this one is here to be read. */

function fraction(value, power) {
  // the first 32 bits of the fraction of a root, in whole numbers
  let low = 0n, high = 1n << 50n;
  const wanted = BigInt(value) << (32n * BigInt(power));
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (middle ** BigInt(power) <= wanted) low = middle; else high = middle;
  }
  return Number(low & 0xffffffffn) | 0;
}

const PRIMES = [];
for (let n = 2; PRIMES.length < 64; n++) if (PRIMES.every((p) => n % p)) PRIMES.push(n);
const ROUND = Int32Array.from(PRIMES, (p) => fraction(p, 3));
const START = Int32Array.from(PRIMES.slice(0, 8), (p) => fraction(p, 2));
const words = new Int32Array(64);

function compress(state, bytes, base) {
  for (let t = 0, at = base; t < 16; t++, at += 4) {
    words[t] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }
  for (let t = 16; t < 64; t++) {
    const x = words[t - 15], y = words[t - 2];
    const small = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const large = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    words[t] = (words[t - 16] + small + words[t - 7] + large) | 0;
  }
  let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
  for (let t = 0; t < 64; t++) {
    const one = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const first = (h + one + ((e & f) ^ (~e & g)) + ROUND[t] + words[t]) | 0;
    const two = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const second = (two + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + first) | 0;
    d = c; c = b; b = a; a = (first + second) | 0;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d;
  state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

/* Pads the `length` bytes that stand in `block` and compresses them into `state`; `block` has room for the padding. */
function finish(state, block, length, whole) {
  const end = length < 56 ? 64 : 128;
  block[length] = 0x80;
  block.fill(0, length + 1, end);
  const bits = whole * 8;
  for (let at = 0; at < 6; at++) block[end - 1 - at] = Math.floor(bits / 256 ** at) % 256;
  for (let at = 0; at < end; at += 64) compress(state, block, at);
}

/* The digest of bytes, as eight signed 32-bit words. */
export function digestWords(bytes) {
  const state = START.slice(), tail = new Uint8Array(128);
  const whole = bytes.length - (bytes.length % 64);
  for (let at = 0; at < whole; at += 64) compress(state, bytes, at);
  tail.set(bytes.subarray(whole));
  finish(state, tail, bytes.length - whole, bytes.length);
  return state;
}

/* Digests of many texts behind one prefix: `digest(bytes, from, to, out, at)` writes the eight words of the digest of
   prefix and bytes[from..to] to out[at]. */
export function digestsBehind(prefix) {
  const state = new Int32Array(8);
  let block = new Uint8Array(512);
  return (bytes, from, to, out, at) => {
    const length = prefix.length + to - from;
    if (block.length < length + 128) block = new Uint8Array(2 * length + 128);
    block.set(prefix);
    for (let i = from; i < to; i++) block[prefix.length + i - from] = bytes[i];
    state.set(START);
    let done = 0;
    for (; length - done >= 64; done += 64) compress(state, block, done);
    if (done) block.copyWithin(0, done, length);
    finish(state, block, length - done, length);
    for (let word = 0; word < 8; word++) out[at + word] = state[word];
  };
}

export function hex(state) {
  return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

export function sha256Hex(bytes) {
  return hex(digestWords(bytes));
}

export function fromHex(text) {
  return Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
}
