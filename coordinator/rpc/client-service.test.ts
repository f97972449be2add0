import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { ManualClock } from '../../lib/clock.ts';
import { toJobId } from '../../lib/ids.ts';
import type { JobState, JobView } from '../../lib/job-view.ts';
import { limits } from '../../lib/limits.ts';
import { JobLogs } from '../job-logs.ts';
import { JobWatchers } from '../job-watchers.ts';
import { ClientService } from './client-service.ts';

type Handlers = ClientService['handlers'];
type SubmitCall = Parameters<Handlers['Submit']>[0];

const jobId = toJobId('job');

function open() {
  const clock = new ManualClock();
  const watchers = new JobWatchers();
  const jobLogs = new JobLogs(() => true);
  const shown = { jobId, state: 'MAPPING' as JobState | 'forgotten' };
  const service = new ClientService({
    clock,
    jobLogs,
    watchers,
    submit: async () => jobId,
    dispatch: () => undefined,
    settled: async () => undefined,
    view: () => (shown.state === 'forgotten' ? undefined : (shown as JobView)),
    list: () => [],
  });
  return { service, clock, watchers, jobLogs, shown };
}

/** A stream whose reader takes nothing before `drain`. */
function slowCall(request: object) {
  const sent: unknown[] = [];
  const call = Object.assign(new EventEmitter(), {
    request,
    writableNeedDrain: false,
    write(message: unknown) {
      sent.push(message);
      call.writableNeedDrain = true;
    },
    end: () => sent.push('end'),
  });
  const drain = () => {
    call.writableNeedDrain = false;
    call.emit('drain');
  };
  return { call, sent, drain };
}

test('who watches and does not read is sent the newest view when it does, and nothing gathers meanwhile', () => {
  const { service, clock, watchers, shown } = open();
  const { call, sent, drain } = slowCall({ jobId });
  service.handlers.Watch(call as unknown as Parameters<Handlers['Watch']>[0]);
  for (let i = 0; i < 100; i++) {
    watchers.notify(jobId);
    clock.advance(1_000);
  }
  expect(sent).toHaveLength(1);
  shown.state = 'COMPLETED';
  watchers.notify(jobId);
  expect(sent).toHaveLength(1);
  drain();
  expect(sent.slice(1)).toEqual([{ viewJson: JSON.stringify(shown) }, 'end']);
  drain();
  expect(sent).toHaveLength(3);
});

test('who watches or follows a job that is forgotten meanwhile is let go', () => {
  const { service, watchers, shown } = open();
  const [watch, logs] = [slowCall({ jobId }), slowCall({ jobId, task: '', follow: true })];
  service.handlers.Watch(watch.call as unknown as Parameters<Handlers['Watch']>[0]);
  service.handlers.Logs(logs.call as unknown as Parameters<Handlers['Logs']>[0]);
  watch.drain();
  shown.state = 'forgotten';
  watchers.notify(jobId);
  expect(watch.sent.at(-1)).toBe('end');
  expect(logs.sent).toEqual(['end']);
});

test('who follows a log and does not read gets what the log still has, in messages of a bounded size', () => {
  const { service, watchers, jobLogs, shown } = open();
  const { call, sent, drain } = slowCall({ jobId, task: '', follow: true });
  service.handlers.Logs(call as unknown as Parameters<Handlers['Logs']>[0]);
  const text = 'x'.repeat(64 * 1024);
  const lines = (2 * limits.logBytesPerJobMax) / text.length;
  for (let i = 0; i < lines; i++) jobLogs.append(jobId, { kind: 'map', index: 0, attempt: 0 }, i, text);
  expect(sent).toHaveLength(1);
  shown.state = 'COMPLETED';
  watchers.notify(jobId);
  while (sent.at(-1) !== 'end') drain();
  const messages = sent.slice(0, -1) as { entries: { atMs: number; text: string }[] }[];
  for (const message of messages) {
    expect(JSON.stringify(message).length).toBeLessThan(limits.grpcMessageBytesMax);
  }
  const entries = messages.flatMap((message) => message.entries);
  expect(entries.length).toBeLessThan(lines);
  expect(entries.at(-1)?.atMs).toBe(lines - 1);
  expect(entries.some((entry) => entry.text.includes('lines were dropped'))).toBe(true);
});

test('submissions beyond those that fit in memory are not read before one is through', async () => {
  const { service } = open();
  const clients = Array.from({ length: limits.submissionsAtOnceMax + 2 }, () => {
    const end = Promise.withResolvers<void>();
    const read = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const client = { isRead: false, read: read.promise, answered: answered.promise, end: end.resolve };
    async function* chunks() {
      client.isRead = true;
      read.resolve();
      await end.promise;
      yield { specJson: 'no spec', bundle: Buffer.alloc(0) };
    }
    service.handlers.Submit(chunks() as unknown as SubmitCall, () => answered.resolve());
    return client;
  });
  const [first, ...others] = clients;
  await Promise.all(clients.slice(0, limits.submissionsAtOnceMax).map(({ read }) => read));
  expect(clients.filter(({ isRead }) => isRead)).toHaveLength(limits.submissionsAtOnceMax);
  first!.end();
  await clients.at(-2)!.read;
  expect(clients.at(-1)!.isRead).toBe(false);
  for (const { end } of others) end();
  await Promise.all(clients.map(({ answered }) => answered));
});
