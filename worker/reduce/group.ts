/**
 * Cuts the merged stream where the key changes. A group is a key and a lazy iterator over its values, so one key may have more values
 * than memory; what a reducer leaves unread is skipped.
 */
import { decodeKey, type Key } from '../../lib/codec/key-codec.ts';
import { compareBytes, copyBytes, type EncodedPair, type PairStream } from '../../lib/codec/pair.ts';
import { decodeValue, encodeValue, scalarBytesMax, type Value } from '../../lib/codec/value-codec.ts';
import { MillraceError } from '../../lib/errors.ts';
import { type Progress, progressAt } from '../user/progress.ts';
import { showKey } from '../user/show.ts';

/** A reducer that keeps all values of a key is seen here, in the middle of its call. */
const recordsPerMemoryCheck = 256;

/** Walks the groups of a sorted stream; `nextGroup`, then `key` and `nextValue` until it says that the group is over. */
export class GroupCursor {
  readonly #pairs: PairStream;
  #keyBytes = Buffer.allocUnsafe(256);
  #keyLength = -1;
  /** Decoded when somebody asks for it. */
  #key: Key | undefined;
  /** The stream stands on a pair of the current group that has not been handed out. */
  #onValue = false;
  #ended = false;
  #group = 0;
  readonly #progress: Progress;

  readonly #checkMemory: () => void;

  /** Counts the pairs and framed bytes that it takes out of the stream into `progress`. `checkMemory` is called now and then. */
  constructor(pairs: PairStream, progress: Progress, checkMemory: () => void = () => undefined) {
    this.#pairs = pairs;
    this.#progress = progress;
    this.#checkMemory = checkMemory;
  }

  get key(): Key {
    this.#key ??= decodeKey(this.#keyBytes, 0, this.#keyLength);
    return this.#key;
  }

  /** The key with a number for its value, encoded; until `nextGroup`. */
  pairWith(value: number): EncodedPair {
    const bytes = this.#keyBytes;
    const keyEnd = this.#keyLength;
    return { bytes, keyStart: 0, keyEnd, valueEnd: encodeValue(value, bytes, keyEnd) };
  }

  /** Grows with each group: a handed out iterator belongs to one. */
  get group(): number {
    return this.#group;
  }

  /** Skips what is left of the current group and moves to the next one; false at the end. */
  nextGroup(): boolean {
    while (this.#onValue) this.#step();
    if (this.#group === 0) this.#step();
    this.#group++;
    if (this.#ended) return false;
    const { bytes, keyStart, keyEnd } = this.#pairs;
    this.#keyLength = keyEnd - keyStart;
    if (this.#keyLength + scalarBytesMax > this.#keyBytes.length)
      this.#keyBytes = Buffer.allocUnsafe(this.#keyLength * 2 + scalarBytesMax);
    copyBytes(bytes, keyStart, keyEnd, this.#keyBytes, 0);
    this.#key = undefined;
    this.#onValue = true;
    return true;
  }

  get hasValue(): boolean {
    return this.#onValue;
  }

  /** The next value of the group; only while `hasValue`. */
  takeValue(): Value {
    const { bytes, valueStart, valueEnd } = this.#pairs;
    const value = decodeValue(bytes, valueStart, valueEnd);
    this.#step();
    return value;
  }

  /** The rest of the group's values, lazily; only until `nextGroup`. */
  values(): GroupValues {
    return new GroupValues(this);
  }

  #step(): void {
    const pairs = this.#pairs;
    if (!pairs.advance()) {
      this.#ended = true;
      this.#onValue = false;
      return;
    }
    const progress = this.#progress;
    progress[progressAt.recordsIn]! += 1;
    progress[progressAt.bytesIn]! += pairs.valueEnd - pairs.pairStart;
    if (progress[progressAt.recordsIn]! % recordsPerMemoryCheck === 0) this.#checkMemory();
    const { bytes, keyStart, keyEnd } = pairs;
    this.#onValue =
      keyEnd - keyStart === this.#keyLength &&
      compareBytes(bytes, keyStart, keyEnd, this.#keyBytes, 0, this.#keyLength) === 0;
  }
}

/** Can be walked once, and only during the call it was made for. Leaving a loop early and going on later is fine. */
export class GroupValues implements IterableIterator<Value> {
  readonly #cursor: GroupCursor;
  readonly #group: number;
  #finished = false;

  constructor(cursor: GroupCursor) {
    this.#cursor = cursor;
    this.#group = cursor.group;
  }

  [Symbol.iterator](): this {
    if (this.#finished) {
      throw new MillraceError(
        'wrong-state',
        `the values of key ${showKey(this.#cursor.key)} were read to the end already: they stream, so keep what you need of them in an array`,
      );
    }
    return this;
  }

  next(): IteratorResult<Value, undefined> {
    const cursor = this.#cursor;
    if (cursor.group !== this.#group) {
      throw new MillraceError(
        'wrong-state',
        'values were read after the reduce call that they were given to had ended; keep what you need of them in an array',
      );
    }
    if (cursor.hasValue) return { done: false, value: cursor.takeValue() };
    this.#finished = true;
    return { done: true, value: undefined };
  }
}
