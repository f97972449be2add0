import { expect, test } from 'vitest';
import type { Split } from '../../lib/job-spec.ts';
import { chooseCutPoints, chooseSamples } from './sample.ts';
import { coreConfigDefault } from './state.ts';

const MiB = 1024 * 1024;

function splitOf(start: number, end: number): Split {
  const piece = { uri: 'file:///records', start, end, objectBytes: 900 * MiB, etag: '' };
  return { pieces: [piece], bytes: end - start, hosts: [] };
}

test('ranges of fixed-length records begin and end at records', () => {
  const splits = [splitOf(0, 300_000_000), splitOf(300_000_000, 600_000_000)];
  for (const sample of chooseSamples(splits, { kind: 'fixedLength', bytes: 100 }, coreConfigDefault)) {
    expect(sample.pieces.length).toBeGreaterThan(1);
    for (const { start, end } of sample.pieces) {
      expect(start % 100).toBe(0);
      expect(end % 100).toBe(0);
      expect(end).toBeGreaterThan(start);
    }
  }
});

test('cut points ascend, each once, and there are no more than partitions less one', () => {
  const keys = [5, 1, 3, 3, 3, 9, 7].map((byte) => Uint8Array.of(byte));
  const cuts = chooseCutPoints(keys, 4).map((key) => key[0]!);
  expect(cuts.length).toBeLessThanOrEqual(3);
  expect(cuts).toEqual([...new Set(cuts)].sort((a, b) => a - b));
  expect(chooseCutPoints([], 4)).toEqual([]);
});
