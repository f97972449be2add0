import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toJobId, toWorkerId } from '../../lib/ids.ts';
import type { JobSpec } from '../../lib/job-spec.ts';
import { addCounts, noCounts } from '../../lib/segment-digest.ts';
import { createStores } from '../../lib/store/resolve.ts';
import { fileUri } from '../../lib/store/uri.ts';
import type { UserJob } from '../../lib/user-job.ts';
import { createMapOutput } from '../map/pair-collector.ts';
import { RunReader } from '../shuffle/run-file.ts';
import type { SegmentSource } from '../shuffle/segment-reader.ts';
import { TaskContext } from '../user/context.ts';
import { createProgress } from '../user/progress.ts';
import { runReduceTask } from './reduce-task.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'reduce-task-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const jobId = toJobId('j');
const attempt = { jobId, kind: 'reduce', index: 0, attempt: 0, epoch: 1 } as const;

/** The output of one map with a single partition, as a reducer on the same worker sees it. */
function segmentOf(map: number, pairs: readonly (readonly [string, unknown])[]): SegmentSource {
  const fileName = `m${map}.run`;
  const output = createMapOutput({ directory, fileName, partitions: 1, partitioning: { kind: 'hash' } });
  for (const [key, value] of pairs) output.emit(key, value);
  const { path } = output.finish();
  using reader = new RunReader(path);
  const { offset, ...counts } = reader.segment(0);
  return { kind: 'file', name: `map m${map}`, path, offset, counts };
}

function fileOf(source: SegmentSource): string {
  if (source.kind !== 'file') throw new Error('a file was expected');
  return source.path;
}

/** One bit on the disk. */
function flip(source: SegmentSource & { readonly offset?: number }): void {
  const path = fileOf(source);
  const bytes = readFileSync(path);
  bytes[source.offset! + 8]! ^= 1;
  writeFileSync(path, bytes);
}

async function reduce(
  sources: readonly SegmentSource[],
  { maps = sources.length, job = {} as Partial<UserJob>, mergeFanInMax = 128, isCopy = false } = {},
) {
  const progress = createProgress();
  const context = new TaskContext({
    attempt,
    params: {},
    signal: new AbortController().signal,
    progress,
    log: () => undefined,
  });
  const stores = createStores();
  const result = await runReduceTask({
    spec: {
      jobId,
      output: { kind: 'tsv', compression: 'none' },
      outputUri: fileUri(`${directory}/out/`),
      partOffset: 0,
    } as JobSpec,
    job: job as UserJob,
    attempt,
    maps,
    sources,
    origins: sources.map((_, map) => ({ mapAttempt: 7, worker: toWorkerId(`w${map}`), isCopy })),
    context,
    progress,
    stores,
    directory,
    mergeFanInMax,
  });
  const { store, key } = stores.locate(result.part.uri);
  await store.publish({ key, token: result.part.token, bytes: result.part.bytes });
  return { ...result, text: readFileSync(join(directory, 'out', 'part-r-00000'), 'utf8') };
}

/** Nothing staged, nothing published. */
function outputFiles(): string[] {
  try {
    return (
      readdirSync(join(directory, 'out'), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
        // The store's note of the folders it made; its sweep at the end of a job removes it.
        .filter((name) => !name.startsWith('.created-'))
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

describe('runReduceTask', () => {
  it('merges by key, then map, then position', async () => {
    const sources = [
      segmentOf(0, [
        ['b', 'm0'],
        ['a', 'm0 first'],
        ['a', 'm0 second'],
      ]),
      segmentOf(1, [['a', 'm1']]),
      segmentOf(2, []),
    ];
    const { text, consumed, part } = await reduce(sources);
    expect(text).toBe('a\tm0 first\na\tm0 second\na\tm1\nb\tm0\n');
    expect(part.records).toBe(4);
    expect(consumed).toEqual(sources.map((source) => source.counts).reduce(addCounts, noCounts));
  });

  it('gives the same bytes when the segments are too many for one merge', async () => {
    const sources = Array.from({ length: 40 }, (_, map) =>
      segmentOf(map, [
        [`k${map % 7}`, `m${map} a`],
        [`k${map % 5}`, `m${map} b`],
      ]),
    );
    const once = await reduce(sources);
    const often = await reduce(sources, { mergeFanInMax: 3 });
    expect(often.text).toBe(once.text);
    expect(often.consumed).toEqual(once.consumed);
    const { records, bytes } = once.consumed;
    expect([once.reduced, often.reduced]).toEqual([
      { records, bytes },
      { records, bytes },
    ]);
    expect(readdirSync(directory).filter((name) => name.startsWith('merge'))).toEqual([]);
  });

  it('starts no user code when a map is missing', async () => {
    let ran = false;
    const job: Partial<UserJob> = {
      setup() {
        ran = true;
      },
    };
    await expect(reduce([segmentOf(0, [['a', 1]])], { maps: 2, job })).rejects.toThrow(
      '1 segments for 2 maps',
    );
    expect(ran).toBe(false);
  });

  it('names the map whose segment is corrupt, and leaves nothing behind', async () => {
    const sources = [segmentOf(0, [['a', 1]]), segmentOf(1, [['b', 'some text to flip']])];
    flip(sources[1]!);
    const message = /^on the disk of w1: the segment map m1 is corrupt/;
    await expect(reduce(sources)).rejects.toMatchObject({
      failure: {
        kind: 'corrupt-segment',
        map: 1,
        mapAttempt: 7,
        worker: 'w1',
        message: expect.stringMatching(message),
      },
    });
    expect(outputFiles()).toEqual([]);
  });

  it('blames its own worker, not the map, for what changed after it was fetched', async () => {
    const sources = [segmentOf(0, [['a', 1]]), segmentOf(1, [['b', 'some text to flip']])];
    flip(sources[1]!);
    const message = /^whole when it was fetched, but not as it is kept by w1: /;
    await expect(reduce(sources, { isCopy: true })).rejects.toMatchObject({
      failure: {
        kind: 'corrupt-copy',
        map: 1,
        mapAttempt: 7,
        worker: 'w1',
        message: expect.stringMatching(message),
      },
    });
  });

  it('names the map whose file is gone', async () => {
    const sources = [segmentOf(0, [['a', 1]]), segmentOf(1, [['b', 1]])];
    rmSync(fileOf(sources[0]!));
    await expect(reduce(sources)).rejects.toMatchObject({ failure: { kind: 'corrupt-segment', map: 0 } });
  });

  it('drops the staged part when user code throws', async () => {
    const job: Partial<UserJob> = {
      *reduce(key) {
        yield [key, 1];
        throw new Error('no more');
      },
    };
    await expect(reduce([segmentOf(0, [['a', 1]])], { job })).rejects.toMatchObject({
      failure: { kind: 'user-error', message: 'no more' },
    });
    expect(outputFiles()).toEqual([]);
  });

  it('writes an empty part for a partition without keys, hooks included', async () => {
    const calls: string[] = [];
    const job: Partial<UserJob> = {
      setup: () => void calls.push('setup'),
      teardown: () => void calls.push('teardown'),
    };
    expect(await reduce([segmentOf(0, [])], { job })).toMatchObject({ text: '', part: { records: 0 } });
    expect(calls).toEqual(['setup', 'teardown']);
  });
});
