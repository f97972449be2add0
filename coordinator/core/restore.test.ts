import { expect, test } from 'vitest';
import type { JobId, WorkerId } from '../../lib/ids.ts';
import { noCounts } from '../../lib/segment-digest.ts';
import { Driver } from '../../test/core/driver.ts';
import { makePart, makeSegment, makeSpec, makeSplits } from '../../test/core/make.ts';
import { parseAttempt } from '../../test/core/transcript-events.ts';
import type { Effect, PersistRecord } from './effects.ts';

const jobId = 'j1' as JobId;
const at = 0;

function accepted(reducers = 0, maps = 1): PersistRecord[] {
  return [
    { type: 'job-accepted', at, spec: makeSpec(jobId, { reducers }) },
    { type: 'job-planned', at, jobId, splits: makeSplits(maps) },
  ];
}

function opened(attempt: string, token: string): PersistRecord {
  const id = parseAttempt(attempt);
  return { type: 'part-opened', at, attempt: id, part: { ...makePart(id), token } };
}

function partAccepted(attempt: string, token: string): PersistRecord {
  const id = parseAttempt(attempt);
  const facts = { workerId: 'w1' as WorkerId, inputRecords: 1, inputBytes: 1, counters: {} };
  const part = { ...makePart(id), token };
  return { type: 'part-accepted', at, attempt: id, part, consumed: noCounts, ...facts };
}

/** What the next coordinator does at once. */
function replayed(records: readonly PersistRecord[], driver = new Driver({ epoch: 2 })): readonly Effect[] {
  return driver.send({ type: 'journal-replayed', records });
}

function published(effects: readonly Effect[]): Extract<Effect, { type: 'publish-output' }> {
  return effects.find((effect) => effect.type === 'publish-output')!;
}

test('a map-only job whose parts were all accepted commits, and drops what their attempts gave up and losers began', () => {
  const gaveUp = [opened('j1/m0.0', 'first'), opened('j1/m0.0', 'second')];
  const records = [...accepted(), ...gaveUp, opened('j1/m0.1', 'loser'), partAccepted('j1/m0.0', 'second')];
  const { parts, discards } = published(replayed(records));
  expect(parts.map(({ token }) => token)).toEqual(['second']);
  expect(discards.map(({ token }) => token).sort()).toEqual(['first', 'loser']);
});

test('a commit that was decided is done again with what losers began after it', () => {
  const driver = new Driver({ epoch: 2 });
  const records = [...accepted(), opened('j1/m0.0', 'won'), partAccepted('j1/m0.0', 'won')];
  const { type, spec, ...commit } = published(replayed(records));
  expect(commit.unsure, 'nobody knows what else was begun').toEqual([0]);
  const later: PersistRecord[] = [{ type: 'job-committing', at, jobId, commit }, opened('j1/m0.1', 'late')];
  const again = published(replayed([...records, ...later], driver));
  expect(again.parts).toEqual(commit.parts);
  expect(again.discards.map(({ token }) => token)).toEqual(['late']);
  expect(again.success).toEqual(commit.success);
});

test('a part that a loser began after the end of its job is dropped', () => {
  const driver = new Driver();
  driver.submit(jobId, [], { reducers: 0 });
  driver.send({ type: 'output-published', jobId });
  const effects = replayed([...driver.persisted, opened('j1/m0.0', 'late')]);
  const spec = expect.objectContaining({ jobId });
  expect(effects).toContainEqual(expect.objectContaining({ type: 'discard-part', spec }));
});

test('what reduces fetched and did not reduce is never published, whoever accepted it', () => {
  const id = parseAttempt('j1/r0.0');
  const reduced = { records: 2, bytes: 10 };
  const facts = { consumed: makeSegment(1), reduced, workerId: 'w1' as WorkerId, counters: {} };
  const accept: PersistRecord = {
    ...{ type: 'part-accepted', at, attempt: id, part: makePart(id) },
    ...{ ...facts, inputRecords: 1, inputBytes: 10 },
  };
  const driver = new Driver({ epoch: 2 });
  replayed([...accepted(1), accept], driver);
  driver.join('w1');
  driver.tick(20_000);
  driver.mapped('w1', 'j1/m0.0@2');
  expect(driver.state.jobs.get(id.jobId)!.phase).toMatchObject({
    name: 'discarding',
    outcome: {
      cause: { code: 'corrupt', message: expect.stringMatching(/fetched 1 records and reduced 2/) },
    },
  });
});

test('a backup that comes back late needs the outputs that were not needed any more', () => {
  const driver = new Driver({ epoch: 2 });
  replayed([...accepted(1), { type: 'worker-joined', at, workerId: 'w2' as WorkerId }], driver);
  const join = (workerId: string, running: string[]) => {
    driver.join(workerId, {}, running.map(parseAttempt));
  };
  join('w1', []);
  join('w2', ['j1/r0.0@1']);
  driver.mapped('w1', 'j1/m0.0@2');
  driver.fetchedAll('w2', 'j1/r0.0@1');
  driver.send({ type: 'worker-left', workerId: 'w1' as WorkerId });
  const { map } = driver.state.jobs.get(jobId)!;
  expect(map.reruns, 'nobody needs it').toBe(0);
  join('w3', ['j1/r0.1@1']);
  expect(map.reruns).toBe(1);
});
