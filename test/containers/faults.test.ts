/** Real containers with limits, really hurt while a job runs: the answer is the same bytes. */
import { setInterval } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import sort from '../../examples/sort.ts';
import { waitFor } from '../e2e/cluster.ts';
import slowWordCount from '../e2e/jobs/slow-word-count.ts';
import { ContainerCluster, type WorkerContainer } from './container-cluster.ts';
import { findDocker } from './find-docker.ts';
import tooMuchMemory from './jobs/too-much-memory.ts';

const workersCount = 4;
const maps = 16;

describe.skipIf(!findDocker())(
  'four workers of half a processor and 512 MB, and MinIO, in containers',
  () => {
    let cluster: ContainerCluster;
    let workers: WorkerContainer[] = [];
    let undisturbed: Record<string, Buffer>;

    beforeAll(async () => {
      cluster = await ContainerCluster.start({ MILLRACE_HEARTBEAT_TIMEOUT: '3s' });
      await cluster.putInput('words/a.txt', words(0));
      await cluster.putInput('words/b.txt', words(1));
      await cluster.putInput('records', records());
      workers = await cluster.startWorkers(workersCount);
      undisturbed = await countWords('undisturbed');
    });
    afterEach(async () => {
      await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
      workers = [];
    });
    afterAll(() => cluster?.[Symbol.asyncDispose]());

    const submitCount = (name: string, mapMs: number) =>
      cluster.client.submit(slowWordCount, {
        input: 's3://input/words/*.txt',
        output: `s3://output/${name}`,
        maps,
        params: { mapMs },
      });

    /** Runs the word count; once some maps are done and others run, `hurt` is called. Returns the parts. */
    async function countWords(name: string, hurt?: () => Promise<void>): Promise<Record<string, Buffer>> {
      if (workers.length === 0) workers = await cluster.startWorkers(workersCount);
      const handle = await submitCount(name, hurt ? 500 : 0);
      if (hurt) {
        await waitFor(handle, ({ map }) => map.done >= 5 && map.running >= 2 && map.done < maps - 3);
        await hurt();
      }
      const view = await handle.wait();
      expect(view.cause).toBeNull();
      expect(view.state).toBe('COMPLETED');
      const { _SUCCESS, ...parts } = await cluster.readOutput(name);
      expect(_SUCCESS).toBeDefined();
      return parts;
    }

    test('word count from S3 to S3 is right', () => {
      const counted = Object.values(undisturbed).join('').trimEnd().split('\n').sort();
      expect(Object.keys(undisturbed)).toHaveLength(6);
      expect(counted).toEqual(plainCount());
    });

    test('sort from S3 to S3 is right', async () => {
      workers = await cluster.startWorkers(workersCount);
      const handle = await cluster.client.submit(sort, {
        input: 's3://input/records',
        output: 's3://output/sorted',
      });
      expect(await handle.wait()).toMatchObject({ state: 'COMPLETED', cause: null });
      const { _SUCCESS, ...parts } = await cluster.readOutput('sorted');
      const sorted = Buffer.concat(Object.values(parts));
      expect(sorted.equals(plainSort(records()))).toBe(true);
    });

    test('a worker that is killed: same bytes', async () => {
      expect(await countWords('killed', () => workers[0]!.kill())).toEqual(undisturbed);
    });

    test('a worker that stands still, is given up, and wakes up again: same bytes', async () => {
      const parts = await countWords('paused', async () => {
        const [worker] = workers;
        await worker!.pause();
        await untilLost(worker!);
        await worker!.unpause();
      });
      expect(parts).toEqual(undisturbed);
    });

    test('a worker that is cut off the network: same bytes', async () => {
      expect(await countWords('cut-off', () => workers[0]!.disconnect())).toEqual(undisturbed);
    });

    test('a job that takes too much heap fails with its cause; another job does not notice', async () => {
      const greedy = cluster.client.submit(tooMuchMemory, {
        input: 's3://input/words/a.txt',
        output: 's3://output/greedy',
        maps: 1,
        maxAttempts: 2,
      });
      expect(await countWords('beside-greedy')).toEqual(undisturbed);
      const view = await (await greedy).wait();
      expect(view.state).toBe('FAILED');
      expect(view.cause?.failure).toMatchObject({ kind: 'out-of-memory' });
      expect(await cluster.readOutput('greedy')).toEqual({});
    });

    test('a job whose memory only the kernel sees loses its workers and fails for it; another job ends well', async () => {
      workers = await cluster.startWorkers(workersCount);
      const greedy = await cluster.client.submit(tooMuchMemory, {
        input: 's3://input/words/a.txt',
        output: 's3://output/greedier',
        maps: 1,
        maxAttempts: 2,
        params: { where: 'beside the heap' },
      });
      await waitFor(greedy, ({ map }) => map.running === 1);
      expect(await countWords('beside-greedier')).toEqual(undisturbed);
      const view = await greedy.wait();
      expect(view.state).toBe('FAILED');
      expect(view.cause?.failure).toMatchObject({ kind: 'worker-lost' });
      const killed = await Promise.all(workers.map((worker) => worker.wasOutOfMemory()));
      expect(killed.filter(Boolean)).toHaveLength(2);
    });

    async function untilLost({ host }: WorkerContainer): Promise<void> {
      for await (const _ of setInterval(100)) {
        const seen = await cluster.client.workers();
        if (!seen.some((worker) => worker.host === host)) return;
      }
    }
  },
);

const vocabulary = ['river', 'mill', 'wheel', 'race', 'stone', 'grain', 'flour', 'sack', 'Mill', 'weir'];

function words(seed: number): string {
  const lines = Array.from(
    { length: 20_000 },
    (_, i) => `${vocabulary[(i + seed) % 10]} ${vocabulary[(i * 7) % 9]} w${'abcdefg'[i % 7]}${i % 97} x\n`,
  );
  return lines.join('');
}

/** `word<TAB>count`, in no order of the job's. */
function plainCount(): string[] {
  const counts = new Map<string, number>();
  for (const word of (words(0) + words(1)).split(/[^A-Za-z]+/)) {
    if (word) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => `${word}\t${count}`).sort();
}

/** 100-byte records with keys in a fixed disorder. */
function records(): Buffer {
  const all = Buffer.alloc(100 * 40_000, '.');
  for (let i = 0; i < 40_000; i++)
    all.write(String((i * 2_654_435_761) % 10_000_000_000).padStart(10, '0'), i * 100);
  return all;
}

function plainSort(input: Buffer): Buffer {
  const each = Array.from({ length: input.length / 100 }, (_, i) => input.subarray(i * 100, i * 100 + 100));
  return Buffer.concat(each.sort(Buffer.compare));
}
