/** What the encoded key or value of a pair is, for who wants its bytes and no object of it. */
import { decodeKey, keyTags } from './key-codec.ts';
import type { EncodedPair } from './pair.ts';
import { decodeValue, valueTags } from './value-codec.ts';

/** `other` is all that is looked at in another way: bigints, dates, arrays, objects, tuples, text that is no UTF-8. */
export type ScalarKind = 'text' | 'bytes' | 'number' | 'true' | 'false' | 'null' | 'other';

/** One object for many pairs. `readKey` and `readValue` throw `corrupt` for a number that is none. */
export class ScalarView {
  kind: ScalarKind = 'other';
  /** Of `text` (UTF-8) and `bytes`, in the bytes of the pair. */
  start = 0;
  end = 0;
  /** Of a `number`. */
  number = 0;

  readKey({ bytes, keyStart: start, keyEnd: end }: EncodedPair): void {
    this.start = start + 1;
    this.end = end;
    const tag = bytes[start];
    if (tag === keyTags.string) this.kind = 'text';
    else if (tag === keyTags.bytes) this.kind = 'bytes';
    else if (tag === keyTags.number) this.#setNumber(decodeKey(bytes, start, end));
    else this.kind = 'other';
  }

  readValue({ bytes, keyEnd: start, valueEnd: end }: EncodedPair): void {
    const tag = bytes[start]!;
    if (tag >= valueTags.smallInteger || tag === valueTags.integer || tag === valueTags.float)
      this.#setNumber(decodeValue(bytes, start, end));
    else if (tag >= valueTags.shortText) this.#setSpan('text', start + 1, end, tag & 0x3f);
    else if (tag === valueTags.utf8 || tag === valueTags.bytes) this.#readSpan(bytes, start, end);
    else if (end - start !== 1) this.kind = 'other';
    else if (tag === valueTags.null) this.kind = 'null';
    else if (tag === valueTags.true) this.kind = 'true';
    else this.kind = tag === valueTags.false ? 'false' : 'other';
  }

  #setNumber(value: unknown): void {
    this.kind = 'number';
    this.number = value as number;
  }

  #readSpan(bytes: Buffer, start: number, end: number): void {
    let length = 0;
    let unit = 1;
    let at = start + 1;
    while (at < end) {
      const byte = bytes[at++]!;
      length += (byte & 0x7f) * unit;
      if (byte < 0x80) break;
      unit *= 0x80;
    }
    this.#setSpan(bytes[start] === valueTags.bytes ? 'bytes' : 'text', at, end, length);
  }

  #setSpan(kind: ScalarKind, start: number, end: number, length: number): void {
    this.kind = end - start === length ? kind : 'other';
    this.start = start;
    this.end = end;
  }
}
