/**
 * The hash that gives keys to partitions: murmur3 x86 32, seed 0, over the encoded key. Frozen: it is part of the format,
 * because output files of one job name keys by it. Pure JavaScript, since crossing into native code costs more than a short key.
 */

const c1 = 0xcc9e2d51;
const c2 = 0x1b873593;

/** Mixes one little-endian 32-bit block into the running hash. */
export function murmur3Block(hash: number, block: number): number {
  let k = Math.imul(block, c1);
  k = (k << 15) | (k >>> 17);
  const h = hash ^ Math.imul(k, c2);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

/** Mixes the last 1 to 3 bytes, packed little-endian; a `tail` of zero changes nothing. */
export function murmur3Tail(hash: number, tail: number): number {
  let k = Math.imul(tail, c1);
  k = (k << 15) | (k >>> 17);
  return hash ^ Math.imul(k, c2);
}

/** The final avalanche; the result is unsigned. */
export function murmur3Finish(hash: number, byteLength: number): number {
  let h = hash ^ byteLength;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** murmur3 x86 32 of `bytes[start, end)`, unsigned. */
export function murmur3(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const blocksEnd = end - ((end - start) & 3);
  let hash = 0;
  for (let at = start; at < blocksEnd; at += 4) {
    hash = murmur3Block(
      hash,
      bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24),
    );
  }
  let tail = 0;
  for (let at = end - 1; at >= blocksEnd; at--) tail = (tail << 8) | bytes[at]!;
  return murmur3Finish(murmur3Tail(hash, tail), end - start);
}

/** The partition of an encoded key by its unsigned hash: in [0, partitions). */
export function hashPartition(hash: number, partitions: number): number {
  return hash % partitions;
}
