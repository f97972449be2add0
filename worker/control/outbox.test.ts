import { expect, test } from 'vitest';
import { ManualClock } from '../../lib/clock.ts';
import { type AttemptId, toJobId } from '../../lib/ids.ts';
import type { WorkerMessage } from '../../proto/gen/millrace/v1/WorkerMessage.ts';
import { Outbox } from './outbox.ts';

const ended: AttemptId = { jobId: toJobId('job'), kind: 'map', index: 3, attempt: 1, epoch: 2 };
const beginning: AttemptId = { ...ended, index: 4 };
const report = { attempt: ended, outcome: { kind: 'sample-done' as const, keys: [] }, counters: {} };

function open() {
  const sent: WorkerMessage[] = [];
  const outbox = new Outbox(new ManualClock(), (message) => sent.push(message));
  outbox.open();
  return { outbox, sent };
}

test('an attempt whose user code is about to run is said at once, with what waited to be said', async () => {
  const { outbox, sent } = open();
  outbox.report(report);
  expect(sent).toEqual([]);
  outbox.started(beginning);
  outbox.started({ ...beginning, index: 5 });
  expect(sent).toEqual([]);
  await Promise.resolve();
  expect(sent).toMatchObject([
    { reports: [{ attempt: { index: 3 } }], started: [{ index: 4 }, { index: 5 }] },
  ]);
});

test('without a coordinator nothing is said of it, also not later: the next heartbeat does', async () => {
  const { outbox, sent } = open();
  outbox.close();
  outbox.started(beginning);
  outbox.open();
  outbox.flush();
  await Promise.resolve();
  expect(sent).toEqual([]);
});
