/** One small function per effect kind. Performing never throws: an operation that fails comes back as an event. */
import { assertNever } from '../lib/assert.ts';
import type { WorkerLossReason } from '../lib/cluster-view.ts';
import { MillraceError } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoints.ts';
import type { JobId } from '../lib/ids.ts';
import type { JobEvent } from '../lib/job-event.ts';
import type { JobSpec } from '../lib/job-spec.ts';
import type { Log } from '../lib/log.ts';
import type { Stores } from '../lib/store/resolve.ts';
import type { Effect } from './core/effects.ts';
import type { OperationError } from './core/events.ts';
import { findCopies } from './find-copies.ts';
import { writeJobLines } from './job-file.ts';
import type { JobWatchers } from './job-watchers.ts';
import { listSplits } from './list-splits.ts';
import type { Happening } from './loop.ts';
import {
  type Discard,
  discardOpenPart,
  discardStaged,
  publishOutput,
  unpublishOutput,
} from './output-folder.ts';
import type { WorkerEffect } from './rpc/worker-session.ts';

export interface PerformPorts {
  readonly log: Log;
  readonly stores: Stores;
  readonly watchers: JobWatchers;
  readonly outputsInUse: Set<string>;
  /** Jobs of whose output something may be visible, although they have not committed. */
  readonly commitsBegun: Set<JobId>;
  /** Throws when another coordinator has taken the lead: what is visible is its business then. */
  confirmLead(): Promise<void>;
  sendToWorker(effect: WorkerEffect): void;
  dispatch(happening: Happening): void;
  /** Must not throw. */
  onJobEvent(event: JobEvent): void;
  onWorkerLost(reason: WorkerLossReason): void;
}

export function perform(effect: Effect, ports: PerformPorts): void {
  if ('workerId' in effect) {
    failpoint('effect.to-worker');
    return ports.sendToWorker(effect);
  }
  switch (effect.type) {
    case 'list-splits':
      return listing(effect, ports);
    case 'find-copies':
      return void findingCopies(effect, ports);
    case 'publish-output':
      return publishing(effect, ports);
    case 'discard-output':
      return discarding(effect, ports);
    case 'keep-map-outputs': {
      const { spec, outputs: lines } = effect;
      const without = 'its maps cannot be compared with those of another run';
      return void keepLines({ spec, name: 'map-outputs.jsonl', lines, without }, ports);
    }
    case 'discard-part':
      return void discardPart(effect, ports);
    case 'job-event':
      failpoint('effect.job-event');
      return ports.onJobEvent(effect.event);
    case 'worker-lost':
      return ports.onWorkerLost(effect.reason);
    case 'job-changed':
      return ports.watchers.notify(effect.jobId);
    case 'say':
      return ports.log[effect.level](effect.about, effect.text);
    default:
      return assertNever(effect, 'effect');
  }
}

function listing({ spec }: Extract<Effect, { type: 'list-splits' }>, ports: PerformPorts): void {
  const { jobId } = spec;
  failpoint('effect.list-splits');
  listSplits(spec, ports.stores).then(
    (splits) => {
      failpoint('splits.listed');
      ports.dispatch({ type: 'splits-listed', jobId, splits });
      const without = 'its tasks cannot be replayed';
      void keepLines({ spec, name: 'splits.jsonl', lines: splits, without }, ports);
    },
    (error) => ports.dispatch({ type: 'listing-failed', jobId, error: operationError(error) }),
  );
}

interface KeptLines {
  readonly spec: JobSpec;
  readonly name: string;
  readonly lines: readonly unknown[];
  /** What is not possible where they are missing. */
  readonly without: string;
}

/** For people and `millrace replay`: no job waits for it or fails because of it. */
async function keepLines({ spec, name, lines, without }: KeptLines, ports: PerformPorts): Promise<void> {
  try {
    await writeJobLines(ports.stores, spec, name, lines);
    failpoint('job-file.kept');
  } catch (error) {
    ports.log.warn(
      { job: spec.jobId, error: String(error) },
      `${name} of a job could not be stored: ${without}`,
    );
  }
}

async function findingCopies(
  { spec, maps }: Extract<Effect, { type: 'find-copies' }>,
  { stores, log, dispatch }: PerformPorts,
): Promise<void> {
  const copies = await findCopies(stores, log, spec, maps);
  dispatch({ type: 'copies-found', jobId: spec.jobId, maps, copies });
}

function publishing(effect: Extract<Effect, { type: 'publish-output' }>, ports: PerformPorts): void {
  const { jobId, outputUri } = effect.spec;
  const { commitsBegun, confirmLead } = ports;
  failpoint('effect.publish');
  const tries = { confirmLead, hasBegun: commitsBegun.has(jobId), begin: () => commitsBegun.add(jobId) };
  const published = publishOutput(ports.stores, effect, tries).then(async () => {
    // The output is there: what of the losers cannot be removed changes nothing about that.
    const { spec, discards: parts, unsure, unsureMaps } = effect;
    await cleanUp({ spec, parts, unsure, unsureMaps }, discardStaged, ports);
    failpoint('commit.cleaned');
    commitsBegun.delete(jobId);
    ports.outputsInUse.delete(outputUri);
    ports.dispatch({ type: 'output-published', jobId });
  });
  published.catch((error) => ports.dispatch({ type: 'publish-failed', jobId, error: operationError(error) }));
}

function discarding(effect: Extract<Effect, { type: 'discard-output' }>, ports: PerformPorts): void {
  const { jobId, outputUri } = effect.spec;
  failpoint('effect.discard');
  const undone = async () => {
    const hasBegun = ports.commitsBegun.delete(jobId);
    if (await mayLead(ports)) {
      // First what is visible: the folders that staging made are removed only when they are empty.
      if (hasBegun) await cleanUp(effect, unpublishOutput, ports);
      await cleanUp(effect, discardStaged, ports);
    }
    failpoint('discard.swept');
    ports.outputsInUse.delete(outputUri);
    ports.dispatch({ type: 'output-discarded', jobId });
  };
  void undone();
}

/** False when another one leads: since it may have done all this another job may have begun to write there. Its next decision stops this one. */
async function mayLead({ confirmLead, log }: PerformPorts): Promise<boolean> {
  try {
    await confirmLead();
  } catch (thrown) {
    const { code, message } = MillraceError.from(thrown, 'store-failed');
    if (code === 'wrong-state') return false;
    log.warn({ error: message }, 'it cannot be seen whether this coordinator still leads');
  }
  return true;
}

/** Nobody waits for it. Where the part is was said by a worker: a place that is none must not stop the coordinator. */
async function discardPart(
  { spec, part }: Extract<Effect, { type: 'discard-part' }>,
  { stores, log }: PerformPorts,
): Promise<void> {
  try {
    await discardOpenPart(stores, spec, part);
  } catch (error) {
    log.warn(
      { job: spec.jobId, uri: part.uri, error: String(error) },
      'a part that lost could not be dropped',
    );
  }
}

async function cleanUp(
  discard: Discard,
  how: (stores: Stores, discard: Discard) => Promise<void>,
  { stores, log }: PerformPorts,
): Promise<void> {
  const { spec } = discard;
  try {
    await how(stores, discard);
  } catch (error) {
    log.warn({ job: spec.jobId, error: String(error) }, `${spec.outputUri} could not be cleaned up`);
  }
}

function operationError(thrown: unknown): OperationError {
  const { code, message, retryable } = MillraceError.from(thrown, 'store-failed');
  // What was staged does not become whole again.
  return { code, message, retryable: retryable && code !== 'corrupt' };
}
