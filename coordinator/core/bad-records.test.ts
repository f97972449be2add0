import { expect, test } from 'vitest';
import type { BadRecordBudget, BadRecordsReport } from '../../lib/bad-records.ts';
import { badPartName } from '../../lib/formats.ts';
import type { JobId, WorkerId } from '../../lib/ids.ts';
import { makePart, makeSegment, makeSpec, makeSplits, makeWorker } from '../../test/core/make.ts';
import type { Effect } from './effects.ts';
import type { Event } from './events.ts';
import { coreConfigDefault, createState } from './state.ts';
import { step } from './step.ts';

const jobId = 'j' as JobId;
const workerId = 'w' as WorkerId;

type Timeless<T> = T extends { readonly now: number } ? Omit<T, 'now'> : never;

/** One worker and a job of three maps and one reduce, whose maps are reported one by one. */
function begin(maxBadRecords: BadRecordBudget) {
  const state = createState(coreConfigDefault);
  const effects: Effect[] = [];
  const feed = (event: Timeless<Event>) => {
    effects.push(...step(state, { ...event, now: 1_000 } as Event).effects);
  };
  const spec = makeSpec('j', { maxBadRecords });
  feed({ type: 'job-submitted', spec });
  feed({ type: 'splits-listed', jobId, splits: makeSplits(3) });
  feed({
    type: 'worker-joined',
    worker: makeWorker('w', { slots: 8 }),
    running: [],
    held: [],
    replaces: [],
    jobs: [],
  });
  const mapDone = (index: number, badRecords: number, uri?: string) => {
    const attempt = { jobId, kind: 'map', index, attempt: 0, epoch: coreConfigDefault.epoch } as const;
    const place = uri ?? `${spec.outputUri}${badPartName(index)}`;
    const part = { ...makePart(attempt, badRecords), uri: place, token: `bad-${index}` };
    const bad: BadRecordsReport = { part, examples: [`Error: of m${index}`] };
    const numbers = { inputRecords: 100, inputBytes: 1000, segments: [makeSegment(10)], part: undefined };
    const report = { ...numbers, spills: 0, spillBytes: 0, ...(badRecords > 0 && { bad }) };
    feed({
      type: 'attempt-reported',
      workerId,
      report: { attempt, outcome: { kind: 'map-done', report }, counters: {} },
    });
  };
  return { state, effects, mapDone, job: () => state.jobs.get(jobId)! };
}

test('skipped records of accepted maps are counted against the budget of the job', () => {
  const { mapDone, job } = begin({ kind: 'count', records: 5 });
  mapDone(0, 3);
  mapDone(1, 2);
  expect([job().phase.name, job().map.badRecords]).toEqual(['working', 5]);
  mapDone(2, 1);
  expect(job().phase).toMatchObject({
    name: 'stopping',
    outcome: {
      state: 'FAILED',
      cause: {
        code: 'bad-records',
        message: expect.stringMatching(
          /^6 bad records are over the budget of 5 .*of m0; Error: of m1; Error: of m2/,
        ),
      },
    },
  });
});

test('a share is judged when every map is done', () => {
  const few = begin({ kind: 'rate', percent: 1 });
  few.mapDone(0, 3);
  few.mapDone(1, 0);
  few.mapDone(2, 0);
  expect(few.job().phase.name).toBe('working');
  const many = begin({ kind: 'rate', percent: 1 });
  many.mapDone(0, 4);
  many.mapDone(1, 0);
  expect(many.job().phase.name).toBe('working');
  many.mapDone(2, 0);
  expect(many.job().phase.name).toBe('stopping');
});

test('bad records that are staged elsewhere make the report wrong', () => {
  const { mapDone, job } = begin({ kind: 'count', records: 5 });
  mapDone(0, 1, 'mem:///elsewhere/_bad/part-m-00000.jsonl');
  expect(job().map.badRecords).toBe(0);
  expect(job().failedAttempts[0]?.failure.message).toContain('its bad records are at mem:///elsewhere');
});
