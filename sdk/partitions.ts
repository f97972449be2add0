/** How keys are given to partitions. A custom function may use `hashPartition` on part of a key. */
import { encodeKeyToBytes } from '../lib/codec/key-codec.ts';
import { murmur3, hashPartition as partitionOfHash } from '../lib/hash.ts';
import type { Key, RangePartition } from './job-types.ts';

/** The option `partition: hashPartition`, and the function itself: the partition of `key`, in [0, partitions). Frozen for all time. */
export interface HashPartition {
  (key: Key, partitions: number): number;
  readonly kind: 'hash';
}

export const hashPartition: HashPartition = /* @__PURE__ */ Object.assign(
  (key: Key, partitions: number) => partitionOfHash(murmur3(encodeKeyToBytes(key)), partitions),
  { kind: 'hash' as const },
);

/** Partitions are ranges of keys, cut by sampling the input first: the output is in total order over all parts. */
export function rangePartition(): RangePartition {
  return Object.freeze({ kind: 'range' });
}
