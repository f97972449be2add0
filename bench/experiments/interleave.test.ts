import { expect, test } from 'vitest';
import { type Measured, ratioResult, ratios } from './cluster-findings.ts';
import { interleave } from './interleave.ts';
import type { Run } from './limited-cluster.ts';

function runOf(seconds: number, digest = 'same'): Run {
  return { seconds, digest, view: {} as Run['view'] };
}

function measuredOf(runs: ReadonlyMap<string, readonly Run[]>): Measured {
  return { group: 'g', of: 'sort', parameters: {}, runs };
}

test('every round begins with another condition, and a condition may sit out', async () => {
  const order: string[] = [];
  const condition = (name: string, isIn?: (round: number) => boolean) => ({
    name,
    ...(isIn && { isIn }),
    run: async () => {
      order.push(name);
      return runOf(order.length);
    },
  });
  const runs = await interleave([condition('a'), condition('b'), condition('c', (round) => round === 0)], 3);
  expect(order.join('')).toBe('abcbaab');
  expect([...runs].map(([name, all]) => [name, all.length])).toEqual([
    ['a', 3],
    ['b', 3],
    ['c', 1],
  ]);
});

test('an output that differs from the first is an error that names condition and round', async () => {
  const conditions = [
    { name: 'whole', run: async () => runOf(1, 'right') },
    { name: 'one killed', run: async () => runOf(1, 'wrong') },
  ];
  await expect(interleave(conditions, 2)).rejects.toThrow(/another one: one killed, round 1/);
});

test('ratios are of runs of the same round', () => {
  const runs = new Map([
    ['one', [runOf(10), runOf(20)]],
    ['two', [runOf(5), runOf(16)]],
    ['some', [runOf(20)]],
  ]);
  const measured = measuredOf(runs);
  expect(ratios(measured, 'two', 'one')).toEqual([0.5, 0.8]);
  expect(ratios(measured, 'two', 'one', { isSpeedUp: true })).toEqual([2, 1.25]);
  expect(ratioResult(measured, 'some', 'one', { metric: 'ratio to one' })).toMatchObject({
    subject: 'sort, some',
    better: 'lower',
    samples: [2],
  });
});
