/* Opens a zip file: stored entries, and deflated ones where the browser can inflate. */

class NotAZip extends Error {}

function find(view, signature, from) {
  for (let at = from; at >= 0; at--) if (view.getUint32(at, true) === signature) return at;
  throw new NotAZip("not a zip file");
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/* A map from each entry's name to its bytes. */
export async function openZip(bytes) {
  if (bytes.length < 22) throw new NotAZip("not a zip file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = find(view, 0x06054b50, bytes.length - 22);
  const files = new Map();
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (view.getUint32(at, true) !== 0x02014b50) throw new NotAZip("a broken zip file");
    const method = view.getUint16(at + 10, true);
    const size = view.getUint32(at + 20, true);
    const lengths = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + lengths[0]));
    const local = view.getUint32(at + 42, true);
    const from = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const held = bytes.subarray(from, from + size);
    if (method !== 0 && method !== 8) throw new NotAZip(`${name}: an unknown compression`);
    files.set(name, method === 0 ? held : await inflate(held));
    at += 46 + lengths[0] + lengths[1] + lengths[2];
  }
  return files;
}
