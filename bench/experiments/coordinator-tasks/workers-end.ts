/**
 * Workers that do nothing: real sessions over gRPC, which answer each map at once with empty segments and never end a reduce. Forked by
 * coordinator-tasks.ts; its first argument is a {@link WorkersPlan} as JSON.
 */
import { createHash } from 'node:crypto';
import { systemClock } from '../../../lib/clock.ts';
import { type AttemptId, type JobId, toWorkerId } from '../../../lib/ids.ts';
import { createLog } from '../../../lib/log.ts';
import { noCredentials } from '../../../lib/security/credentials.ts';
import { noCounts } from '../../../lib/segment-digest.ts';
import { Session, type SessionHandlers } from '../../../worker/control/session.ts';
import type { MapsAnswered, WorkersOrder, WorkersPlan } from './messages.ts';

const plan = JSON.parse(process.argv[2]!) as WorkersPlan;
const nothingUsed = { rssBytes: 0, memoryBytesMax: 0, cpuFraction: 0, scratchBytes: 0, scratchBytesMax: 0 };
const segments = new Array(plan.reducers).fill(noCounts);
const emptyMap = { inputRecords: 0, inputBytes: 0, segments, part: undefined, spills: 0, spillBytes: 0 };

let mapsLeft = 0;
let firstMs: number | undefined;

function assigned(session: Session, attempt: AttemptId): void {
  if (attempt.kind !== 'map') return;
  firstMs ??= performance.now();
  session.started(attempt);
  session.report({ attempt, outcome: { kind: 'map-done', report: emptyMap }, counters: {} });
}

function answered(attempt: AttemptId, accepted: boolean): void {
  if (attempt.kind !== 'map' || !accepted || --mapsLeft > 0) return;
  const maps: MapsAnswered = { ms: performance.now() - firstMs! };
  process.send!(maps);
}

function openSession(at: number): Session {
  const workerId = toWorkerId(`w${at}`);
  const jobs = new Set<JobId>();
  const ignore = () => undefined;
  const handlers: SessionHandlers = {
    onJob: ({ spec }) => jobs.add(spec.jobId),
    onTicket: ignore,
    onAssignment: ({ attempt }) => assigned(session, attempt),
    onCancel: (attempt) =>
      session.report({
        attempt,
        outcome: { kind: 'failed', failure: { kind: 'cancelled', message: 'cancelled' } },
        counters: {},
      }),
    onLocations: ignore,
    onAnswer: answered,
    onJobEnded: (jobId) => jobs.delete(jobId),
    onRejoin: () => workerId,
    onWelcome: ignore,
    held: () => [],
    replaces: () => [],
    jobs: () => [...jobs],
    isIdle: () => true,
    progress: () => [],
    usage: () => nothingUsed,
  };
  const session: Session = new Session({
    coordinator: plan.coordinator,
    credentials: noCredentials,
    workerId,
    slots: plan.slotsEach,
    fetchAddress: `127.0.0.1:${at + 1}`,
    home: createHash('sha256').update(workerId).digest('hex'),
    softwareVersion: 'bench',
    clock: systemClock,
    log: createLog('workers-end', 'silent'),
    handlers,
    diagnose: async () => [],
    onServing: ignore,
    joinTimeoutMs: 10_000,
  });
  return session;
}

const sessions = Array.from({ length: plan.workers }, (_, at) => openSession(at));
await Promise.all(sessions.map((session) => session.joined));
process.on('message', ({ maps }: WorkersOrder) => {
  mapsLeft = maps;
  firstMs = undefined;
  process.send!('ready');
});
process.on('disconnect', () => process.exit());
process.send!('joined');
