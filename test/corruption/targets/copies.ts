/** The copy of a map output in the store (`--durability`): its pieces and its index, as a reduce and the next coordinator read them. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type AttemptId, toJobId, toWorkerId } from '../../../lib/ids.ts';
import { collectBytes } from '../../../lib/iterables.ts';
import type { SegmentCounts } from '../../../lib/job-spec.ts';
import { indexUri, pieceUri, readIndex } from '../../../lib/map-copy.ts';
import { createStores } from '../../../lib/store/resolve.ts';
import { readCopiedSegment } from '../../../worker/shuffle/read-copy.ts';
import { SegmentStore } from '../../../worker/shuffle/segment-store.ts';
import { writeCopy } from '../../../worker/shuffle/write-copy.ts';
import type { Random } from '../../core/fake-cluster.ts';
import { readPairs, type WrittenRun, writeRun } from '../pairs.ts';
import type { TargetKind } from '../target.ts';

const stores = createStores();
const { signal } = new AbortController();
const partitions = 3;
const pieceBytes = 400;

interface Copied {
  readonly spec: {
    readonly bundle: { readonly uri: string; readonly sha256: string; readonly bytes: number };
  };
  readonly attempt: AttemptId;
  readonly run: WrittenRun;
}

/** As a worker leaves it. */
async function copyOutput(path: string, random: Random, attempt: AttemptId): Promise<Copied> {
  const run = writeRun(path, random, partitions);
  const spec = { bundle: { uri: `mem://${randomUUID()}/jobs/j/bundle.mjs`, sha256: '', bytes: 0 } };
  const sums = { inputRecords: random.below(1_000), inputBytes: random.below(1e5), spills: 0, spillBytes: 0 };
  const report = { ...sums, segments: run.segments, part: undefined };
  const copy = { attempt, worker: toWorkerId('w1'), report, counters: { seen: random.below(100) } };
  await writeCopy({ stores, spec, path, copy, pieceBytes, signal });
  return { spec, attempt, run };
}

/** What the next coordinator is told of the attempt, and what each reduce gets of it. */
async function readAll(folder: string, { spec, attempt, run }: Copied): Promise<string> {
  const { report, counters } = await readIndex(stores, spec, attempt);
  const told = [JSON.stringify({ report, counters })];
  for (let partition = 0; partition < partitions; partition++) {
    const name = `partition ${partition}`;
    const { records, bytes, crc32 } = run.segments[partition]!;
    const isReported = (counts: SegmentCounts) =>
      counts.records === records && counts.bytes === bytes && counts.crc32 === crc32;
    const segments = new SegmentStore(join(folder, 'fetched'), 1e6);
    const wanted = { stores, spec, attempt, partition, segments, name, isReported, signal };
    told.push(readPairs([await readCopiedSegment(wanted)]));
  }
  return told.join('; ');
}

function copyTarget(name: string, damaged: 'piece' | 'index'): TargetKind {
  return {
    name,
    share: 1,
    async make(folder, random) {
      const idOf = (index: number, attempt: number): AttemptId => ({
        ...{ jobId: toJobId('j'), kind: 'map', epoch: 1 },
        ...{ index, attempt },
      });
      const ids = [idOf(0, 0), idOf(0, 1), idOf(1, 0)];
      const [own, ...others] = (await Promise.all(
        ids.map((id, i) => copyOutput(join(folder, `m${i}.run`), random, id)),
      )) as [Copied, ...Copied[]];
      const locationOf = ({ spec, attempt }: Copied, piece: number) =>
        stores.locate(damaged === 'index' ? indexUri(spec, attempt) : pieceUri(spec, attempt, piece));
      const bytesOf = (copied: Copied, piece = 1) => {
        const { store, key } = locationOf(copied, piece);
        return collectBytes(store.read(key));
      };
      const whole = await bytesOf(own);
      const sameKind = await Promise.all(others.map((other) => bytesOf(other)));
      return {
        whole,
        boundaries: damaged === 'index' ? [8, 9, whole.length] : [whole.length / 2, whole.length],
        others: damaged === 'index' ? sameKind : [...sameKind, await bytesOf(own, 0)],
        async read(bytes) {
          const { store, key } = locationOf(own, 1);
          await store.put(key, bytes);
          return readAll(folder, own);
        },
      };
    },
  };
}

export const copiedPiece = copyTarget('piece of a copied map output', 'piece');
export const copiedIndex = copyTarget('index of a copied map output', 'index');
