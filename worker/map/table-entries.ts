/** The content of a combine table, as framed pairs. */
import { copyBytes, type PairStream, writePairHeader } from '../../lib/codec/pair.ts';
import { encodeValue } from '../../lib/codec/value-codec.ts';

/**
 * A slot: word 0: hash   1: key bytes, 0 = free   2, 3: the state, a float64   4 to 7: a key of at most 16 bytes, else word 4: its arena offset
 */
export const slotWords = 8;
export const slotBytes = slotWords * 4;
export const inlineBytesMax = 16;

const valueBytesMax = 16;
const headerBytesMax = 10;

/** Each taken slot as a framed pair, built in bytes that the next one overwrites. */
export class TableEntries implements PairStream {
  readonly #words: Int32Array;
  readonly #inline: Buffer;
  readonly #states: Float64Array;
  readonly #arena: Buffer;
  readonly #slots: number;
  #slot = -1;
  bytes = Buffer.allocUnsafeSlow(256);
  readonly pairStart = 0;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;

  constructor(words: Int32Array, states: Float64Array, slots: number, arena: Buffer) {
    this.#words = words;
    this.#inline = Buffer.from(words.buffer as ArrayBuffer);
    this.#states = states;
    this.#slots = slots;
    this.#arena = arena;
  }

  advance(): boolean {
    do if (++this.#slot >= this.#slots) return false;
    while (this.#words[this.#slot * slotWords + 1] === 0);
    const at = this.#slot * slotWords;
    const keyBytes = this.#words[at + 1]!;
    if (this.bytes.length < headerBytesMax + keyBytes + valueBytesMax) {
      this.bytes = Buffer.allocUnsafeSlow(2 * keyBytes + headerBytesMax + valueBytesMax);
    }
    // The header holds the length of the value: encode it once to learn that, once where it belongs.
    const state = this.#states[this.#slot * (slotWords / 2) + 1]!;
    const valueBytes = encodeValue(state, this.bytes, 0);
    this.keyStart = writePairHeader(this.bytes, 0, keyBytes, valueBytes);
    this.keyEnd = this.keyStart + keyBytes;
    if (keyBytes <= inlineBytesMax) {
      const from = at * 4 + slotBytes - inlineBytesMax;
      copyBytes(this.#inline, from, from + keyBytes, this.bytes, this.keyStart);
    } else {
      const from = this.#words[at + 4]!;
      copyBytes(this.#arena, from, from + keyBytes, this.bytes, this.keyStart);
    }
    this.valueStart = this.keyEnd;
    this.valueEnd = encodeValue(state, this.bytes, this.keyEnd);
    return true;
  }
}
