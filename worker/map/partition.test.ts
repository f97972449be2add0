import { describe, expect, it } from 'vitest';
import { encodeKeyToBytes } from '../../lib/codec/key-codec.ts';
import { hashPartition, murmur3 } from '../../lib/hash.ts';
import { createPartitioner, type Partitioner } from './partition.ts';

function partitionOf(partitioner: Partitioner, key: unknown): number {
  const bytes = Buffer.concat([Buffer.from('xx'), encodeKeyToBytes(key), Buffer.from('yy')]);
  return partitioner(bytes, 2, bytes.length - 2, key);
}

describe('createPartitioner', () => {
  it('hashes the encoded key', () => {
    const partitioner = createPartitioner({ kind: 'hash' }, 7);
    for (const key of ['a', 1, ['b', 2n]])
      expect(partitionOf(partitioner, key)).toBe(hashPartition(murmur3(encodeKeyToBytes(key)), 7));
  });

  it('gives keys below the first cut to 0, and a cut itself to the range that it begins', () => {
    const cuts = ['d', 'm', 'm2'].map((key) => encodeKeyToBytes(key));
    const partitioner = createPartitioner({ kind: 'range', cuts }, 5);
    expect(
      ['', 'czz', 'd', 'da', 'lz', 'm', 'm1', 'm2', 'z'].map((key) => partitionOf(partitioner, key)),
    ).toEqual([0, 0, 1, 1, 1, 2, 2, 3, 3]);
    expect(partitionOf(createPartitioner({ kind: 'range', cuts: [] }, 5), 'a')).toBe(0);
  });

  it('refuses cuts that are too many or not ascending', () => {
    const cut = encodeKeyToBytes('a');
    expect(() => createPartitioner({ kind: 'range', cuts: [cut, encodeKeyToBytes('b')] }, 2)).toThrow(
      '2 cut points make 3 ranges',
    );
    expect(() => createPartitioner({ kind: 'range', cuts: [cut, cut] }, 4)).toThrow('cut point 1');
  });

  it.each([
    [3, '3'],
    [-1, '-1'],
    [0.5, '0.5'],
    [Number.NaN, 'NaN'],
    ['1', 'string'],
    [undefined, 'undefined'],
    [Promise.resolve(1), 'object (Promise)'],
  ])('names a wrong result of the job: %o', (result, shown) => {
    const partitioner = createPartitioner({ kind: 'custom', partition: () => result as number }, 3);
    expect(() => partitionOf(partitioner, 'a')).toThrow(
      `partition returned ${shown}; it must return an integer from 0 to 2`,
    );
  });

  it('asks the job with the key and the number of partitions, even for one', () => {
    const seen: unknown[] = [];
    const partition = (key: unknown, partitions: number) => {
      seen.push([key, partitions]);
      return 0;
    };
    expect(partitionOf(createPartitioner({ kind: 'custom', partition }, 1), 'a')).toBe(0);
    expect(seen).toEqual([['a', 1]]);
  });
});
