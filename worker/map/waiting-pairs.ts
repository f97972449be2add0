/** Pairs on their way into a combine table, each as a slot of its own: those with inline keys, which go straight into words. */
import { keyTags } from '../../lib/codec/key-codec.ts';
import type { RecordSpans } from './record-spans.ts';
import { inlineBytesMax, slotBytes, slotWords } from './table-entries.ts';

/** They fit into an empty table and, with their slots, into the nearest cache. */
export const waitingMax = 256;

/** `[4 * bytes + word]`: which bits of a word belong to an inline key of so many bytes. */
const keyMasks = Int32Array.from({ length: 4 * (inlineBytesMax + 1) }, (_, index) => {
  const bytes = Math.min(Math.max((index >> 2) - 4 * (index & 3), 0), 4);
  return bytes === 4 ? -1 : (1 << (8 * bytes)) - 1;
});

/** Up to {@link waitingMax} pairs, in the order in which they came. Whoever adds makes sure that `count` is below it. */
export class WaitingPairs {
  /** Little-endian keys, as on every machine that Node runs on. */
  readonly words = new Int32Array(waitingMax * slotWords);
  readonly states = new Float64Array(this.words.buffer);
  readonly #bytes = Buffer.from(this.words.buffer);
  count = 0;

  /** False when the key is no ASCII text of less than 16 characters. */
  addText(key: unknown, state: number): boolean {
    if (typeof key !== 'string' || key.length >= inlineBytesMax) return false;
    const words = this.words;
    const length = key.length;
    let at = this.count * slotWords + 4;
    words[at + 1] = 0;
    words[at + 2] = 0;
    words[at + 3] = 0;
    let word = keyTags.string as number;
    let shift = 8;
    let bits = 0;
    for (let index = 0; index < length; index++) {
      const char = key.charCodeAt(index);
      bits |= char;
      word |= char << shift;
      shift += 8;
      if (shift === 32) {
        words[at++] = word;
        word = 0;
        shift = 0;
      }
    }
    if (bits >= 0x80) return false;
    if (shift > 0) words[at] = word;
    this.#add(length + 1, state);
    return true;
  }

  /** An encoded key of at most 16 bytes. */
  addEncoded(key: Buffer, keyBytes: number, state: number): void {
    const at = this.count * slotBytes + slotBytes - inlineBytesMax;
    this.#bytes.fill(0, at, at + inlineBytesMax);
    key.copy(this.#bytes, at, 0, keyBytes);
    this.#add(keyBytes, state);
  }

  /**
   * Takes keys while there is room, each with the same state. False at one that is too long, or so near to the end of the bytes that 16
   * of them cannot be read. `view` is of `spans.bytes`.
   */
  addSpans(spans: RecordSpans, view: DataView, state: number): boolean {
    const { bounds, end, tag } = spans;
    const words = this.words;
    const startMax = view.byteLength - inlineBytesMax + 1;
    let at = spans.at;
    let count = this.count;
    for (; at < end && count < waitingMax; at += 2) {
      const start = bounds[at]!;
      const keyBytes = bounds[at + 1]! - start + 1;
      if (keyBytes > inlineBytesMax || start > startMax) break;
      const word0 = ((view.getInt32(start, true) << 8) | tag) & keyMasks[4 * keyBytes]!;
      const word1 = view.getInt32(start + 3, true) & keyMasks[4 * keyBytes + 1]!;
      const word2 = view.getInt32(start + 7, true) & keyMasks[4 * keyBytes + 2]!;
      const word3 = view.getInt32(start + 11, true) & keyMasks[4 * keyBytes + 3]!;
      const to = count * slotWords;
      words[to] = hashOf(word0, word1, word2, word3, keyBytes);
      words[to + 1] = keyBytes;
      this.states[to / 2 + 1] = state;
      words[to + 4] = word0;
      words[to + 5] = word1;
      words[to + 6] = word2;
      words[to + 7] = word3;
      count++;
    }
    spans.at = at;
    this.count = count;
    return at === end || count === waitingMax;
  }

  /** The pair whose key has been written where the next one goes. */
  #add(keyBytes: number, state: number): void {
    const words = this.words;
    const at = this.count * slotWords;
    words[at] = hashOf(words[at + 4]!, words[at + 5]!, words[at + 6]!, words[at + 7]!, keyBytes);
    words[at + 1] = keyBytes;
    this.states[at / 2 + 1] = state;
    this.count++;
  }
}

/** Of an inline key. Only for the table, so any that spreads well and is cheap; the bits that choose a slot are the low ones. */
function hashOf(word0: number, word1: number, word2: number, word3: number, keyBytes: number): number {
  let hash = Math.imul(word0 ^ keyBytes, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15) ^ word1, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ word2, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16) ^ word3, 0x27d4eb2f);
  return hash ^ (hash >>> 15);
}
