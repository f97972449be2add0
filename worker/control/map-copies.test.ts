import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ManualClock } from '../../lib/clock.ts';
import { MillraceError } from '../../lib/errors.ts';
import { type AttemptId, toJobId, toWorkerId } from '../../lib/ids.ts';
import type { JobSpec } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import { createLog } from '../../lib/log.ts';
import { indexUri, readIndex } from '../../lib/map-copy.ts';
import { createStores, type Stores } from '../../lib/store/resolve.ts';
import { RunWriter } from '../shuffle/run-file.ts';
import { MapCopies, type MapOutput } from './map-copies.ts';

const jobId = toJobId('job');
const attempt: AttemptId = { jobId, kind: 'map', index: 3, attempt: 0, epoch: 1 };

let folder: string;
let stores: Stores;
let clock: ManualClock;
let spec: JobSpec;
let copied: AttemptId[];
let warnings: string[];
let copies: MapCopies;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-map-copies-'));
  [stores, clock, copied, warnings] = [createStores(), new ManualClock(), [], []];
  spec = { jobId, bundle: { uri: `mem://${randomUUID()}/jobs/job/bundle.mjs` } } as JobSpec;
  const log = createLog('test', 'silent');
  vi.spyOn(log, 'warn').mockImplementation((_about: unknown, text?: string) => void warnings.push(text!));
  copies = new MapCopies({ clock, stores, log, onCopied: (output) => copied.push(output.attempt) });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function makeOutput(): MapOutput {
  const path = join(folder, 'output.run');
  const { segments } = new RunWriter(path, 2).finish();
  const report = { inputRecords: 1, inputBytes: 2, segments, part: undefined, spills: 0, spillBytes: 0 };
  return { spec, attempt, worker: toWorkerId('w1'), path, report, counters: {} };
}

/** What the next puts come to; all after these go through. */
function failPuts(...failures: readonly MillraceError[]) {
  const { store } = stores.locate(indexUri(spec, attempt));
  const put = vi.spyOn(store, 'put');
  for (const failure of failures) put.mockRejectedValueOnce(failure);
  return put;
}

const away = new MillraceError('unavailable', 'the store does not answer');

test('an output whose store is away is copied when it is back, asked for ever less often', async () => {
  const put = failPuts(away, away, away);
  copies.begin(makeOutput());
  for (const [puts, waitMs] of [1_000, 2_000, 4_000].entries()) {
    await vi.waitFor(() => expect(put).toHaveBeenCalledTimes(puts + 1));
    await turn();
    clock.advance(waitMs - 1);
    await turn();
    expect(put).toHaveBeenCalledTimes(puts + 1);
    clock.advance(1);
  }
  await vi.waitFor(() => expect(copied).toEqual([attempt]));
  expect(await readIndex(stores, spec, attempt)).toMatchObject({ worker: 'w1' });
  expect(warnings).toEqual(['its output is not copied to the store yet: the store does not answer']);
});

test('nobody waits longer than the limit between two tries', async () => {
  const put = failPuts(...Array.from({ length: 10 }, () => away));
  copies.begin(makeOutput());
  for (let tries = 1; tries <= 10; tries++) {
    await vi.waitFor(() => expect(put).toHaveBeenCalledTimes(tries));
    await turn();
    clock.advance(limits.mapCopyRetryMsMax);
  }
  await vi.waitFor(() => expect(copied).toEqual([attempt]));
});

test('a run file that is gone is not tried again', async () => {
  const output = makeOutput();
  rmSync(output.path);
  copies.begin(output);
  await vi.waitFor(() => expect(warnings).toEqual([expect.stringMatching(/is not copied to the store: .*/)]));
  await vi.waitFor(() => expect(copies.has(attempt)).toBe(false));
});

test('an output whose job ends while it waits for the store is left', async () => {
  const put = failPuts(away);
  copies.begin(makeOutput());
  await vi.waitFor(() => expect(warnings).toHaveLength(1));
  copies.endJob(jobId);
  await vi.waitFor(() => expect(copies.has(attempt)).toBe(false));
  clock.advance(limits.mapCopyRetryMsMax);
  await turn();
  expect(put).toHaveBeenCalledTimes(1);
  expect(copied).toEqual([]);
});

test.each(['begin', 'copy'] as const)(
  '%s: a copy that becomes whole when its job has ended is neither said nor listed',
  async (how) => {
    const written = Promise.withResolvers<void>();
    const put = failPuts().mockReturnValueOnce(written.promise);
    const abort = new AbortController();
    const copying = how === 'copy' ? copies.copy(makeOutput(), abort.signal) : copies.begin(makeOutput());
    await vi.waitFor(() => expect(put).toHaveBeenCalledTimes(1));
    copies.endJob(jobId);
    abort.abort(new MillraceError('cancelled', 'the job has ended'));
    written.resolve();
    if (copying) await expect(copying).rejects.toMatchObject({ code: 'cancelled' });
    await vi.waitFor(() => expect(copies.has(attempt)).toBe(false));
    expect([copied, copies.list(), warnings]).toEqual([[], [], []]);
  },
);
