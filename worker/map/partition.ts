/** Which partition a pair goes to. */

import { describeType } from '../../lib/codec/key-codec.ts';
import { compareBytes } from '../../lib/codec/pair.ts';
import { MillraceError } from '../../lib/errors.ts';
import { hashPartition, murmur3 } from '../../lib/hash.ts';

/** Called with the encoded key and the key itself; gives an integer in [0, R). */
export type Partitioner = (bytes: Buffer, keyStart: number, keyEnd: number, key: unknown) => number;

/** How keys are given to partitions: the frozen hash; a function of the job; or cut points. */
export type Partitioning =
  | { readonly kind: 'hash' }
  | { readonly kind: 'custom'; readonly partition: (key: unknown, partitions: number) => number }
  /** Ascending encoded keys: partition i holds the keys from cut i - 1 on and below cut i; at most R - 1 cuts. */
  | { readonly kind: 'range'; readonly cuts: readonly Uint8Array[] };

export function createPartitioner(partitioning: Partitioning, partitions: number): Partitioner {
  if (partitions === 1 && partitioning.kind !== 'custom') return () => 0;
  switch (partitioning.kind) {
    case 'hash':
      return (bytes, keyStart, keyEnd) => hashPartition(murmur3(bytes, keyStart, keyEnd), partitions);
    case 'custom':
      return customPartitioner(partitioning.partition, partitions);
    case 'range':
      return rangePartitioner(partitioning.cuts, partitions);
  }
}

function customPartitioner(
  partition: (key: unknown, partitions: number) => number,
  partitions: number,
): Partitioner {
  return (_bytes, _keyStart, _keyEnd, key) => {
    const result: unknown = partition(key, partitions);
    if (typeof result === 'number' && Number.isInteger(result) && result >= 0 && result < partitions)
      return result;
    const shown = typeof result === 'number' ? String(result) : describeType(result);
    throw new MillraceError(
      'invalid-argument',
      `partition returned ${shown}; it must return an integer from 0 to ${partitions - 1}`,
    );
  };
}

function rangePartitioner(cuts: readonly Uint8Array[], partitions: number): Partitioner {
  if (cuts.length >= partitions) {
    throw new MillraceError(
      'invalid-argument',
      `${cuts.length} cut points make ${cuts.length + 1} ranges, more than the ${partitions} partitions`,
    );
  }
  for (let index = 1; index < cuts.length; index++) {
    if (Buffer.compare(cuts[index - 1]!, cuts[index]!) >= 0) {
      throw new MillraceError('invalid-argument', `cut point ${index} is not above the one before it`);
    }
  }
  return (bytes, keyStart, keyEnd) => {
    let low = 0;
    let high = cuts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const cut = cuts[middle]!;
      if (compareBytes(cut, 0, cut.length, bytes, keyStart, keyEnd) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
