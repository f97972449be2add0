import { expect, test } from 'vitest';
import { makeSplits } from '../../test/core/make.ts';
import { chooseCutPoints, chooseSamples } from './sample.ts';
import { coreConfigDefault } from './state.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const lines = { kind: 'lines' } as const;

test('at most ten splits are sampled, spread evenly, in a few short ranges of each', () => {
  const samples = chooseSamples(makeSplits(100, 64_000_000), lines, coreConfigDefault);
  expect(samples.map(({ pieces }) => pieces[0]?.uri)).toEqual(
    [0, 10, 20, 30, 40, 50, 60, 70, 80, 90].map((at) => `mem:///in/${at}`),
  );
  expect(samples[0]?.pieces.map(({ start, end }) => [start, end])).toEqual([
    [0, 262_144],
    [21_245_952, 21_508_096],
    [42_491_904, 42_754_048],
    [63_737_856, 64_000_000],
  ]);
  expect(samples[0]?.bytes).toBe(4 * 262_144);
});

test('small splits, and those whose format cannot be cut, are sampled whole', () => {
  const small = makeSplits(2, 1000);
  expect(chooseSamples(small, lines, coreConfigDefault)).toEqual(small);
  const big = makeSplits(1, 64_000_000);
  expect(chooseSamples(big, { kind: 'wholeFile' }, coreConfigDefault)).toEqual(big);
});

test('a range never crosses from one packed object into the next', () => {
  const piece = (uri: string) => ({ uri, start: 0, end: 700_000, objectBytes: 700_000, etag: '' });
  const split = { pieces: ['mem:///a', 'mem:///b', 'mem:///c'].map(piece), bytes: 2_100_000, hosts: [] };
  const [sample] = chooseSamples([split], lines, coreConfigDefault);
  expect(sample?.pieces.map(({ uri, start, end }) => [uri, start, end])).toEqual([
    ['mem:///a', 0, 262_144],
    ['mem:///a', 612_618, 700_000],
    ['mem:///b', 525_237, 700_000],
    ['mem:///c', 437_856, 700_000],
  ]);
});

test('cut points are quantiles, ascending by bytes, each once', () => {
  const cuts = (keys: string[], reducers: number) =>
    chooseCutPoints(keys.map(bytes), reducers).map((key) => new TextDecoder().decode(key));
  expect(cuts(['d', 'b', 'a', 'c'], 4)).toEqual(['b', 'c', 'd']);
  expect(cuts(['a', 'a', 'a', 'b'], 4)).toEqual(['a', 'b']);
  expect(cuts(['b', 'ab', 'a', 'é'], 4)).toEqual(['ab', 'b', 'é']);
  expect(cuts([], 4)).toEqual([]);
});
