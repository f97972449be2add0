import { expect, test, vi } from 'vitest';
import { MillraceError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { SegmentSource } from '../shuffle/segment-reader.ts';
import { type CopyLocation, FetchCopies } from './fetch-copies.ts';

const source = { kind: 'memory' } as SegmentSource;

/** `answers[map]`: what each read of it comes to, the last one again and again. */
function start(answers: Readonly<Record<number, readonly (SegmentSource | MillraceError)[]>>) {
  const abort = new AbortController();
  const seen = {
    held: [] as number[],
    troubles: [] as string[],
    fatal: [] as unknown[],
    pauses: [] as number[],
  };
  const reads = new Map<number, number>();
  let [underWay, most] = [0, 0];
  const copies = new FetchCopies<CopyLocation>({
    async read({ map }) {
      most = Math.max(most, ++underWay);
      await Promise.resolve();
      underWay--;
      const number = reads.get(map) ?? 0;
      reads.set(map, number + 1);
      const answer = answers[map]![Math.min(number, answers[map]!.length - 1)]!;
      if (answer instanceof MillraceError) throw answer;
      return answer;
    },
    onHeld: ({ map }) => seen.held.push(map),
    onTrouble: ({ map }, cause) => seen.troubles.push(`m${map} ${cause}`),
    onFatal: (error) => seen.fatal.push(error),
    pause: async (failures) => void seen.pauses.push(failures),
    signal: abort.signal,
  });
  const want = (map: number, attempt = 0) => copies.want({ map, attempt, epoch: 1, digest: 0 });
  return { ...seen, reads, copies, want, abort, most: () => most };
}

const error = (code: MillraceError['code']) => new MillraceError(code, `it is ${code}`);

test('a copy that is not there is reported once, one that is not whole when it was read twice', async () => {
  const { want, held, troubles, reads } = start({
    0: [error('not-found')],
    1: [error('corrupt')],
    2: [error('corrupt'), source],
  });
  for (const map of [0, 1, 2]) want(map);
  await vi.waitFor(() => expect(held).toEqual([2]));
  await vi.waitFor(() => expect(troubles).toEqual(['m0 missing', 'm1 corrupt']));
  expect([...reads.values()]).toEqual([1, 2, 2]);
});

test('a copy that the store does not show to this worker is reported at once, as missing', async () => {
  const { want, troubles, reads, pauses } = start({ 0: [error('permission-denied')] });
  want(0);
  await vi.waitFor(() => expect(troubles).toEqual(['m0 missing']));
  await new Promise(setImmediate);
  expect([reads.get(0), pauses]).toEqual([1, []]);
});

test('a store that is away is asked again after a pause, and reported each time', async () => {
  const { want, held, troubles, pauses } = start({
    0: [error('unavailable'), error('store-failed'), source],
    1: [source],
  });
  want(0);
  want(1);
  await vi.waitFor(() => expect(held).toEqual([1, 0]));
  expect(troubles).toEqual(['m0 unreachable', 'm0 unreachable']);
  expect(pauses).toEqual([1, 2]);
});

test('a location that is replaced or forgotten while it is read counts no more', async () => {
  const { want, copies, held, troubles, reads } = start({
    0: [source],
    1: [error('not-found')],
    2: [source],
  });
  want(0);
  want(1);
  copies.forget(0);
  copies.forget(1);
  want(2);
  await vi.waitFor(() => expect(held).toEqual([2]));
  expect(troubles).toEqual([]);
  expect(reads.get(0)).toBeUndefined();
});

test('what is wanted after everything was read is read as well', async () => {
  const { want, held } = start({ 0: [source], 1: [source] });
  want(0);
  await vi.waitFor(() => expect(held).toEqual([0]));
  want(1);
  await vi.waitFor(() => expect(held).toEqual([0, 1]));
});

test('no room for a segment ends it all; a cancelled attempt reads nothing more', async () => {
  const full = start({ 0: [error('no-space')] });
  full.want(0);
  await vi.waitFor(() => expect(full.fatal).toEqual([expect.objectContaining({ code: 'no-space' })]));
  const cancelled = start({ 0: [source] });
  cancelled.abort.abort();
  cancelled.want(0);
  await new Promise(setImmediate);
  expect(cancelled.reads.size).toBe(0);
});

test('so many segments are read at once, not more', async () => {
  const maps = Array.from({ length: 50 }, (_, map) => map);
  const { want, held, most } = start(Object.fromEntries(maps.map((map) => [map, [source]])));
  for (const map of maps) want(map);
  await vi.waitFor(() => expect(held).toHaveLength(50));
  expect(most()).toBe(limits.copiedSegmentsAtOnceMax);
});
