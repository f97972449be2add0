/** Bugs of the journal, and of who leads. */

import type { PersistRecord } from '../../../coordinator/core/effects.ts';
import { type Journal, StoreJournal } from '../../../coordinator/journal.ts';
import { Snapshots } from '../../../coordinator/journal-snapshots.ts';
import { NodeStore } from '../sim-store.ts';
import { type Mutant, patchMethod } from './mutant.ts';

function forgetful(keeps: (record: PersistRecord) => boolean): NonNullable<Mutant['journal']> {
  return (journal: Journal) => ({
    epoch: journal.epoch,
    append: (records) => journal.append(records.filter(keeps)),
  });
}

/** What a new leader is told of the time before it. */
function replaying(change: (records: PersistRecord[]) => PersistRecord[]): NonNullable<Mutant['patch']> {
  return () =>
    patchMethod(
      StoreJournal.prototype,
      'takeReplayed',
      (takeReplayed) =>
        function (this: StoreJournal) {
          return change(takeReplayed.call(this));
        },
    );
}

function withoutNewestJob(records: readonly PersistRecord[]): readonly PersistRecord[] {
  const newest = records.findLast((record) => record.type === 'job-accepted')?.spec.jobId;
  return records.filter((record) => {
    if (record.type === 'job-accepted') return record.spec.jobId !== newest;
    const jobId = 'jobId' in record ? record.jobId : 'attempt' in record ? record.attempt.jobId : undefined;
    return jobId === undefined || jobId !== newest;
  });
}

export const journalMutants: readonly Mutant[] = [
  {
    name: 'effects run before their decision is durable',
    journal: (journal) => ({
      epoch: journal.epoch,
      append(records) {
        journal.append(records).catch(() => undefined);
        return Promise.resolve();
      },
    }),
  },
  {
    name: 'the journal forgets which parts were opened',
    journal: forgetful(({ type }) => type !== 'part-opened'),
  },
  {
    name: 'a deposed leader goes on',
    patch: () =>
      patchMethod(
        StoreJournal.prototype,
        'append',
        (append) =>
          async function (this: StoreJournal, records) {
            await append.call(this, records).catch(() => undefined);
          },
      ),
  },
  {
    name: 'a new leader forgets the last decision',
    patch: replaying((records) => records.slice(0, -1)),
  },
  {
    name: 'a new leader forgets which parts were revoked',
    plan: {
      'run file gone': 0.4,
      'worker killed': 0.15,
      'disk vanished': 0.1,
      'coordinator stopped': 0.1,
      'message late': 0.1,
    },
    patch: replaying((records) => records.filter(({ type }) => type !== 'part-revoked')),
  },
  {
    name: 'a new leader begins a commit anew, with what it has accepted itself',
    patch: replaying((records) => records.filter(({ type }) => type !== 'job-committing')),
  },
  {
    name: 'a snapshot forgets the newest job',
    patch: () =>
      patchMethod(
        StoreJournal.prototype,
        'snapshot',
        (snapshot) =>
          function (this: StoreJournal, records) {
            snapshot.call(this, withoutNewestJob(records));
          },
      ),
  },
  {
    name: 'the journal is trimmed although its snapshot was not written',
    patch: () =>
      patchMethod(
        NodeStore.prototype,
        'putIfAbsent',
        (putIfAbsent) =>
          async function (this: NodeStore, key, bytes) {
            return key.includes('/snapshots/') || (await putIfAbsent.call(this, key, bytes));
          },
      ),
  },
  {
    name: 'the first entries of epochs are trimmed like the others',
    patch: () =>
      patchMethod(
        Snapshots.prototype,
        'start',
        (start) =>
          function (this: Snapshots, head, records) {
            start.call(this, { ...head, epochStarts: [] }, records);
          },
      ),
  },
  {
    name: 'what was written is not looked up after an unclear answer',
    patch: () =>
      patchMethod(
        NodeStore.prototype,
        'putIfAbsent',
        (putIfAbsent) =>
          async function (this: NodeStore, key, bytes) {
            // Taken for done, whatever became of it.
            return await putIfAbsent.call(this, key, bytes).catch(() => true);
          },
      ),
  },
  epochIgnoredByWorkers(),
  {
    name: 'a new leader does not wait until workers have said what they hold',
    event(event, { recovery }) {
      if (event.type === 'journal-replayed') return undefined;
      recovery?.awaited.clear();
      recovery?.expected.clear();
      return undefined;
    },
  },
];

/** Both look at the epoch: a coordinator that is asked by a worker which knows better sends it away. */
function epochIgnoredByWorkers(): Mutant {
  const seen = new Map<string, number>();
  return {
    name: 'workers obey whoever welcomes them, whatever its epoch',
    patch() {
      seen.clear();
      return () => undefined;
    },
    toCoordinator: (message) =>
      message.hello ? { ...message, hello: { ...message.hello, epochSeen: 0 } } : undefined,
    toWorker(message, worker) {
      if (!message.welcome) return undefined;
      const epoch = Math.max(seen.get(worker) ?? 0, message.welcome.epoch ?? 0);
      seen.set(worker, epoch);
      return { ...message, welcome: { ...message.welcome, epoch } };
    },
  };
}
