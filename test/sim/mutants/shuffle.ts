/** Bugs of map outputs: where they are, what is in them, and how they come together. */
import { syncBuiltinESMExports } from 'node:module';
import zlib from 'node:zlib';
import { DigestTable } from '../../../coordinator/core/digests.ts';
import type { Job } from '../../../coordinator/core/state.ts';
import { CopyRemover } from '../../../coordinator/remove-copies.ts';
import { PairCursor } from '../../../lib/codec/pair.ts';
import type { SegmentCounts } from '../../../lib/job-spec.ts';
import { MapCopies } from '../../../worker/control/map-copies.ts';
import { FetchInputs } from '../../../worker/reduce/fetch-inputs.ts';
import { MapOutputs } from '../../../worker/shuffle/outputs.ts';
import type { SegmentSource } from '../../../worker/shuffle/segment-reader.ts';
import { SegmentStore } from '../../../worker/shuffle/segment-store.ts';
import { attemptsOf, deaf, type Mutant, misheard, patchMethod } from './mutant.ts';

type Sources = readonly SegmentSource[];

/** What a reduce is given, when it holds everything. */
function patchSources(change: (sources: Sources) => Sources): () => void {
  const original = Object.getOwnPropertyDescriptor(FetchInputs.prototype, 'complete')!;
  Object.defineProperty(FetchInputs.prototype, 'complete', {
    ...original,
    async get() {
      return change((await original.get!.call(this)) as Sources);
    },
  });
  return () => Object.defineProperty(FetchInputs.prototype, 'complete', original);
}

const empty: SegmentCounts = { records: 0, bytes: 0, crc32: 0 };

function memorySource(name: string, bytes: Buffer, records: number): SegmentSource {
  const counts = { records, bytes: bytes.length, crc32: zlib.crc32(bytes) };
  return { kind: 'memory', name, counts, bytes };
}

/** The whole pairs that those bytes begin with. */
function cutOff({ name }: SegmentSource, bytes: Buffer): SegmentSource {
  const pairs = new PairCursor(bytes);
  let records = 0;
  while (pairs.next < pairs.end && pairs.tryAdvance()) records++;
  return memorySource(name, bytes.subarray(0, pairs.next), records);
}

/** Follows each segment that is fetched: told its bytes so far when its stream ends early, and its source when it is whole. */
function followSegments(listener: {
  cut(store: SegmentStore, name: string, bytes: Buffer): void;
  whole(store: SegmentStore, source: SegmentSource): void;
}): () => void {
  return patchMethod(
    SegmentStore.prototype,
    'begin',
    (begin) =>
      async function (this: SegmentStore, name, counts) {
        const sink = await begin.call(this, name, counts);
        const received: Buffer[] = [];
        return {
          async write(bytes) {
            received.push(Buffer.from(bytes));
            await sink.write(bytes);
          },
          finish: () => {
            const source = sink.finish();
            listener.whole(this, source);
            return source;
          },
          abort: () => {
            if (received.length > 0) listener.cut(this, name, Buffer.concat(received));
            sink.abort();
          },
        };
      },
  );
}

const mergedAsTheyCome: Mutant = {
  name: 'segments are merged in the order in which they arrive',
  patch() {
    const arrivals = new WeakMap<SegmentSource, number>();
    let count = 0;
    const undoFollow = followSegments({
      cut: () => undefined,
      whole: (_store, source) => arrivals.set(source, ++count),
    });
    const arrival = (source: SegmentSource) => arrivals.get(source) ?? 0;
    const undoSources = patchSources((sources) => [...sources].sort((a, b) => arrival(a) - arrival(b)));
    return () => {
      undoFollow();
      undoSources();
    };
  },
};

const cutTakenForWhole: Mutant = {
  name: 'the end of a stream is taken for the end of its segment',
  patch() {
    const cuts = new WeakMap<SegmentStore, Map<string, Buffer>>();
    const shortened = new WeakMap<SegmentSource, SegmentSource>();
    const undoFollow = followSegments({
      cut(store, name, bytes) {
        cuts.set(store, (cuts.get(store) ?? new Map()).set(name, bytes));
      },
      whole(store, source) {
        const bytes = cuts.get(store)?.get(source.name);
        if (bytes) shortened.set(source, cutOff(source, bytes));
      },
    });
    const undoSources = patchSources((sources) => sources.map((source) => shortened.get(source) ?? source));
    return () => {
      undoFollow();
      undoSources();
    };
  },
};

function rerunsBelieved(): Mutant {
  const first = new Map<string, readonly SegmentCounts[]>();
  return {
    name: 'a map that ran again is believed to have made the same',
    plan: { 'worker killed': 0.15, 'worker paused': 0.15, 'worker added': 0.2 },
    patch() {
      first.clear();
      return () => undefined;
    },
    event: misheard(({ outcome, attempt, ...report }) => {
      if (outcome.kind !== 'map-done') return undefined;
      const key = `${attempt.jobId}/${attempt.index}`;
      const segments = first.get(key) ?? outcome.report.segments;
      first.set(key, segments);
      return { ...report, attempt, outcome: { ...outcome, report: { ...outcome.report, segments } } };
    }),
  };
}

/** Of the partitions for which a rerun differs, only some are told. */
function differencesMissed(name: string, isTold: (job: Job, partition: number) => boolean): Mutant {
  let job: Job | undefined;
  return {
    name,
    plan: { 'run file gone': 0.4, 'worker killed': 0.1, 'coordinator stopped': 0.15, 'worker paused': 0.1 },
    event(event, state) {
      if (event.type === 'attempt-reported') job = state.jobs.get(event.report.attempt.jobId);
      return undefined;
    },
    patch: () =>
      patchMethod(
        DigestTable.prototype,
        'replace',
        (replace) =>
          function (this: DigestTable, map, segments) {
            return replace.call(this, map, segments).filter((partition) => job && isTold(job, partition));
          },
      ),
  };
}

/** As if everything lay on the worker that is lost. */
const allMadeAgain: Mutant = {
  name: 'all maps run again when one worker is lost',
  event(event, state) {
    if (event.type !== 'tick') return undefined;
    const { heartbeatTimeoutMs } = state.config;
    const lost = [...state.workers.values()].find(
      (worker) => event.now - worker.lastHeartbeatMs >= heartbeatTimeoutMs,
    );
    if (!lost) return undefined;
    for (const { spec, map } of state.activeJobs) {
      for (const task of map.tasks) {
        if (!task.holder) continue;
        task.holder.outputs.get(spec.jobId)?.delete(task.index);
        task.holder = lost;
        lost.outputs.set(spec.jobId, (lost.outputs.get(spec.jobId) ?? new Set()).add(task.index));
      }
    }
    return undefined;
  },
};

const heldNotCompared: Mutant = {
  name: 'what reduces of an earlier coordinator hold is not compared with what is accepted',
  event(event, state) {
    for (const { fetch } of attemptsOf(state)) fetch?.unconfirmed.clear();
    if (event.type !== 'fetch-progressed') return undefined;
    const { attempt, maps, digests } = event.progress;
    const known = state.jobs.get(attempt.jobId)?.digests;
    const believed = maps.map((map, at) => (known?.has(map) ? known.get(map, attempt.index) : digests[at]!));
    return { ...event, progress: { ...event.progress, digests: believed } };
  },
};

export const shuffleMutants: readonly Mutant[] = [
  mergedAsTheyCome,
  cutTakenForWhole,
  rerunsBelieved(),
  allMadeAgain,
  heldNotCompared,
  differencesMissed('what a rerun made is not compared with what was made before', () => false),
  differencesMissed(
    'a part that consumed what is not accepted any more is not revoked',
    (job, partition) => job.reduce.tasks[partition]?.status !== 'done',
  ),
  {
    name: 'segments are merged in another order than that of the maps',
    patch: () => patchSources((sources) => [...sources].reverse()),
  },
  {
    name: 'a segment is reduced twice',
    patch: () => patchSources((sources) => sources.map((source, at) => (at === 1 ? sources[0]! : source))),
  },
  {
    name: 'a reduce begins while the segment of the last map is missing',
    patch: () =>
      patchSources((sources) =>
        sources.map((source, at) =>
          at === sources.length - 1 ? memorySource(source.name, Buffer.alloc(0), empty.records) : source,
        ),
      ),
  },
  {
    name: 'no checksum is looked at',
    patch() {
      const { crc32 } = zlib;
      Object.assign(zlib, { crc32: () => 0 });
      syncBuiltinESMExports();
      return () => {
        Object.assign(zlib, { crc32 });
        syncBuiltinESMExports();
      };
    },
  },
  {
    name: 'locations name the next attempt',
    effect: (effect) =>
      effect.type === 'send-locations'
        ? { ...effect, found: effect.found.map((one) => ({ ...one, attempt: one.attempt + 1 })) }
        : undefined,
  },
  {
    name: 'locations of a lost worker are never withdrawn',
    effect(effect) {
      if (effect.type !== 'send-locations' || effect.lost.length === 0) return undefined;
      return effect.found.length === 0 ? null : { ...effect, lost: [] };
    },
  },
  {
    name: 'an output that cannot be reached is taken for a missing one',
    plan: { 'partial partition': 0.9, 'stream broken': 0.02 },
    event: (event) =>
      event.type === 'fetch-troubled' && event.trouble.cause === 'unreachable'
        ? { ...event, trouble: { ...event.trouble, cause: 'missing' } }
        : undefined,
  },
  { name: 'what reduces cannot fetch is not heard', event: deaf('fetch-troubled') },
  {
    name: 'a worker serves whatever attempt of the map it has',
    plan: { 'run file damaged': 0.5, 'message late': 0.3, 'run file gone': 0.3 },
    patch: () =>
      patchMethod(
        MapOutputs.prototype,
        'find',
        (find) =>
          function (this: MapOutputs, jobId, map) {
            const id = this.list().find((one) => one.jobId === jobId && one.index === map);
            return id && find.call(this, jobId, map, id.attempt, id.epoch);
          },
      ),
  },
  {
    name: 'a later attempt of a map takes the place of an earlier one on the same worker',
    patch: () =>
      patchMethod(
        MapOutputs.prototype,
        'add',
        (add) =>
          function (this: MapOutputs, id, path) {
            for (const other of this.list())
              if (other.jobId === id.jobId && other.index === id.index) this.remove(other);
            add.call(this, id, path);
          },
      ),
  },
  {
    name: 'an output counts as copied before it is in the store',
    patch: () => patchMethod(MapCopies.prototype, 'copy', () => async () => undefined),
  },
  {
    name: 'copies of map outputs outlive their job',
    patch: () => patchMethod(CopyRemover.prototype, 'ended', () => () => undefined),
  },
  {
    name: 'a restored job never hears which copies there are',
    event: deaf('copies-found'),
  },
  {
    name: 'a restarted worker serves nothing and says that it holds all',
    patch: () => patchMethod(MapOutputs.prototype, 'find', () => () => undefined),
  },
];
