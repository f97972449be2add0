/** The coordinator's journal, read by the start of the next one, and `leader.json`, which only tells when to try. */

import { Candidate } from '../../../coordinator/candidate.ts';
import type { PersistRecord } from '../../../coordinator/core/effects.ts';
import { StoreJournal } from '../../../coordinator/journal.ts';
import { encodeEntry, journalVersion, recordPieces, seqName } from '../../../coordinator/journal-format.ts';
import { writeLeader } from '../../../coordinator/leader-file.ts';
import { ManualClock } from '../../../lib/clock.ts';
import { toWorkerId } from '../../../lib/ids.ts';
import { collectBytes } from '../../../lib/iterables.ts';
import { createLog } from '../../../lib/log.ts';
import { thisProcess } from '../../../lib/process-id.ts';
import { MemoryStore } from '../../../lib/store/memory-store.ts';
import type { StoreLocation } from '../../../lib/store/store.ts';
import type { Random } from '../../core/fake-cluster.ts';
import type { TargetKind } from '../target.ts';

const ports = () => ({ clock: new ManualClock(), log: createLog('corruption', 'silent') });

function locationOf(objects: ReadonlyMap<string, Buffer>): StoreLocation {
  const store = new MemoryStore();
  for (const [key, bytes] of objects) void store.put(key, bytes);
  return { store, key: '', uri: 'mem://journal/' };
}

/** Two epochs, and a snapshot in the second when asked for: what is after it is what a start reads besides. */
function writeJournal(random: Random, withSnapshot: boolean): Map<string, Buffer> {
  const objects = new Map<string, Buffer>();
  const decided: PersistRecord[] = [];
  const nonces = [random.next(), random.next()].map(String);
  let previous = 0;
  for (let seq = 1; seq <= 9; seq++) {
    const epoch = seq < 4 ? 1 : 2;
    const writer = { nonce: nonces[epoch - 1]!, host: 'h', pid: 7 };
    const head = { version: journalVersion, seq, epoch, previous, ...writer } as const;
    const beginsEpoch = seq === 1 || seq === 4;
    const records = beginsEpoch ? [] : Array.from({ length: 1 + random.below(4) }, () => recordOf(random));
    decided.push(...records);
    const entry = encodeEntry(head, recordPieces(records));
    objects.set(`log/${seqName(seq)}`, entry.bytes);
    previous = entry.crc32;
    if (seq !== 7 || !withSnapshot) continue;
    const snapshot = encodeEntry({ ...head, previous, epochStarts: [1, 4] }, recordPieces(decided));
    objects.set(`snapshots/${seqName(seq)}`, snapshot.bytes);
    for (const gone of [2, 3, 5, 6, 7]) objects.delete(`log/${seqName(gone)}`);
  }
  return objects;
}

function recordOf(random: Random): PersistRecord {
  const type = random.chance(0.5) ? 'worker-joined' : 'worker-gone';
  return { type, at: random.below(1e9), workerId: toWorkerId(`w${random.below(100)}`) };
}

function journalTarget(name: string, key: string, withSnapshot: boolean): TargetKind {
  return {
    name,
    share: 1,
    make(_folder, random) {
      const objects = writeJournal(random, withSnapshot);
      const [foreign, plain] = [writeJournal(random, withSnapshot), writeJournal(random, false)];
      const whole = objects.get(key)!;
      const own = [...objects].flatMap(([other, bytes]) => (other === key ? [] : [bytes]));
      return {
        whole,
        boundaries: lineEnds(whole),
        others: [...own, foreign.get(key)!, foreign.get(key)!, ...plain.values()],
        async read(bytes) {
          const journal = await StoreJournal.open(locationOf(new Map(objects).set(key, bytes)), ports());
          return `epoch ${journal.epoch}: ${JSON.stringify(journal.takeReplayed())}`;
        },
      };
    },
  };
}

function lineEnds(bytes: Buffer): number[] {
  const ends: number[] = [];
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) ends.push(at + 1);
  return ends;
}

export const journalTargets: readonly TargetKind[] = [
  journalTarget('first entry of a journal', `log/${seqName(1)}`, false),
  journalTarget('entry of a journal', `log/${seqName(6)}`, false),
  journalTarget('entry that begins an epoch', `log/${seqName(4)}`, false),
  journalTarget('last entry of a journal', `log/${seqName(9)}`, false),
  journalTarget('entry after a snapshot', `log/${seqName(8)}`, true),
  journalTarget('snapshot of a journal', `snapshots/${seqName(7)}`, true),
];

const leaseMs = 1_000;

/**
 * Whatever the file says: before long the candidate leads, the one that led cannot append any more, and what that one had decided is replayed.
 */
export const leaderFile: TargetKind = {
  name: 'leader.json',
  share: 0.5,
  async make(_folder, random) {
    const write = async (epoch: number, counter: number): Promise<Buffer> => {
      const location = locationOf(new Map());
      const nonce = String(random.next());
      const where = { grpc: '127.0.0.1:7450', http: null };
      await writeLeader(location, {
        version: 1,
        ...thisProcess,
        epoch,
        nonce,
        counter,
        ...where,
        isOver: false,
      });
      return collectBytes(location.store.read('leader.json'));
    };
    const whole = await write(1, 12);
    return {
      whole,
      boundaries: lineEnds(whole),
      others: [await write(1, 11), await write(7, 1)],
      async read(bytes) {
        const { clock, log } = ports();
        const location = locationOf(new Map([['leader.json', bytes]]));
        const leader = await StoreJournal.open(location, { clock, log });
        const decided: PersistRecord = { type: 'worker-joined', at: 1, workerId: toWorkerId('w1') };
        await leader.append([decided]);
        const candidate = new Candidate({ clock, log, location, leaseMs });
        let taken: StoreJournal | undefined;
        for (let tries = 0; tries < 10 && !taken; tries++) {
          taken = await candidate.tryNow();
          clock.advance(leaseMs);
        }
        if (!taken) return 'nobody leads';
        const fenced = await leader.append([decided]).then(
          () => 'two lead',
          () => 'one leads',
        );
        return `${fenced}, replayed ${JSON.stringify(taken.takeReplayed())}`;
      },
    };
  },
};
