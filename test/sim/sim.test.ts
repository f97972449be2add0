import { expect, test } from 'vitest';
import { mutants } from './mutants.ts';
import { simulate } from './simulate.ts';

/** Enough for every kind of fault, and few enough for every run of the tests; `npm run sim` goes further. */
const seeds = 120;

test('a seed replays to the same trace, another one to another', async () => {
  const first = await simulate(7);
  expect((await simulate(7)).traceHash).toBe(first.traceHash);
  expect((await simulate(8)).traceHash).not.toBe(first.traceHash);
});

test('under any faults outputs are right, nothing half-made is visible, and every job ends', async () => {
  const reached = new Map<string, number>();
  for (let seed = 1; seed <= seeds; seed++) {
    const { violation, coverage, traceHash } = await simulate(seed);
    expect(violation, `npm run sim -- --seed ${seed} (trace ${traceHash})`).toBeUndefined();
    for (const [what, times] of coverage) reached.set(what, (reached.get(what) ?? 0) + times);
  }
  // It is worth something only if it reaches the rare places.
  for (const what of rarePlaces) expect(reached.get(what) ?? 0, what).toBeGreaterThan(0);
});

const rarePlaces = [
  'ended COMPLETED',
  'ended CANCELLED',
  'lead taken over',
  'fault: fetch byte flipped',
  'fault: store says 412 to its own write',
  'said: backup',
  'said: to run again',
  'said: do not run again',
  'worker lost: restarted',
  'worker lost: silent',
  'effect: send-rejoin',
  'effect: discard-output',
];

test.each([
  'effects run before their decision is durable',
  'the first split is mapped twice',
  'segments are merged in another order than that of the maps',
  'workers publish what they have staged',
])('the simulation notices when %s', async (name) => {
  const mutant = mutants.find((one) => one.name === name);
  expect(mutant).toBeDefined();
  for (let seed = 1; seed <= 20; seed++)
    if ((await simulate(seed, { mutant })).violation !== undefined) return;
  expect.unreachable('no seed noticed');
});
