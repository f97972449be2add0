/** Runs the map over a split only to learn its keys, from which the cut points of a range partition are chosen. */
import { encodeKeyToBytes } from '../../lib/codec/key-codec.ts';
import { HeldPairs, holdKey } from './held-pairs.ts';
import { type MapTaskOptions, mapRecords } from './map-task.ts';
import type { PairSink } from './run-mapper.ts';

/** Up to `keysMax` encoded keys, evenly spaced over all that the split emits, in that order. */
export async function runSampleTask(options: MapTaskOptions, keysMax: number): Promise<Uint8Array[]> {
  const sample = new KeySample(keysMax);
  // What has to be skipped is told of by the map tasks, which read all of it.
  const guard = options.spec.maxBadRecords && {
    pairs: new HeldPairs(sample, holdKey),
    skip: () => Promise.resolve(),
  };
  await mapRecords(options, sample, guard);
  return sample.keys();
}

/**
 * The beginning of a key cuts as well as the whole of it, because only the order of bytes counts; so a thousand keys of a mebibyte each
 * still fit into one message.
 */
const sampledKeyBytesMax = 256;

/** Keeps the beginning of every n-th key; n doubles whenever twice as many as wanted are held. */
export class KeySample implements PairSink {
  readonly #keysMax: number;
  #kept: Uint8Array[] = [];
  #stride = 1;
  #seen = 0;

  constructor(keysMax: number) {
    this.#keysMax = keysMax;
  }

  emit(key: unknown): void {
    if (this.#seen++ % this.#stride !== 0) return;
    this.#kept.push(encodeKeyToBytes(key).slice(0, sampledKeyBytesMax));
    if (this.#kept.length < this.#keysMax * 2) return;
    this.#kept = this.#kept.filter((_, index) => index % 2 === 0);
    this.#stride *= 2;
  }

  keys(): Uint8Array[] {
    const kept = this.#kept;
    const wanted = Math.min(kept.length, this.#keysMax);
    return Array.from({ length: wanted }, (_, index) => kept[Math.floor((index * kept.length) / wanted)]!);
  }
}
