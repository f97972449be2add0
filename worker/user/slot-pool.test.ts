import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../lib/clock.ts';
import { toJobId } from '../../lib/ids.ts';
import type { JobSpec, OpenPart } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import { createStores } from '../../lib/store/resolve.ts';
import { environmentS3Access } from '../../lib/store/s3/s3-access.ts';
import { FaultProxy } from '../../test/faults/fault-proxy.ts';
import { describeWithMinio } from '../../test/minio/describe-with-minio.ts';
import { cleanEnv } from './clean-env.ts';
import { progressAt } from './progress.ts';
import type { SlotRun, TaskListener } from './slot.ts';
import type { SlotTask } from './slot-messages.ts';
import { SlotPool } from './slot-pool.ts';

const MiB = 1024 * 1024;
const taskTimeoutMs = 60_000;

let directory: string;
let clock: ManualClock;
let pool: SlotPool;
let tasks = 0;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'slot-'));
  clock = new ManualClock();
  const env = cleanEnv({ ...process.env, MILLRACE_TOKEN: 'no', AWS_SECRET_ACCESS_KEY: 'no', SEEN: 'yes' });
  pool = new SlotPool({ slots: 1, memoryBytesMax: 48 * MiB, clock, env, s3: environmentS3Access({}) });
});
afterEach(async () => {
  await pool.close();
  rmSync(directory, { recursive: true });
});

/** A map task over the lines of a small file; `body` is the text of a job's methods. */
function mapTask(body: string, { job = 'job-a', lines = 'a\nb\n', reducers = 2 } = {}): SlotTask {
  const source = `export default { millraceJob: 1, name: 'j', ${body} };`;
  const bundle = join(directory, `${job}.mjs`);
  const input = join(directory, 'in.txt');
  writeFileSync(bundle, source);
  writeFileSync(input, lines);
  const sha256 = createHash('sha256').update(source).digest('hex');
  const own = join(directory, `task-${tasks++}`);
  mkdirSync(own);
  const piece = {
    uri: pathToFileURL(input).href,
    start: 0,
    end: lines.length,
    objectBytes: lines.length,
    etag: '',
  };
  return {
    kind: 'map',
    spec: {
      name: 'j',
      bundle: { uri: pathToFileURL(bundle).href, sha256, bytes: source.length },
      input: { kind: 'lines' },
      params: {},
      reducers,
      outputUri: pathToFileURL(join(directory, 'out/')).href,
      output: { kind: 'lines', compression: 'none' },
      partOffset: 0,
      partition: 'hash',
      taskTimeoutMs,
    } as unknown as JobSpec,
    attempt: { jobId: toJobId(job), kind: 'map', index: 0, attempt: 0, epoch: 1 },
    split: { pieces: [piece], bytes: lines.length, hosts: [] },
    cutPoints: [],
    directory: own,
    bundleDirectory: join(directory, 'bundles'),
  };
}

const deaf: TaskListener = { onLog: () => undefined, onPartOpened: () => undefined };

const isMapping = (run: SlotRun) => run.progress[progressAt.recordsIn]! > 0;

/** Starts a task; resolves when it runs. */
function start(task: SlotTask, log: string[] = [], opened: OpenPart[] = []): Promise<SlotRun> {
  return new Promise((resolve) => {
    pool.submit(
      task,
      { onLog: (_, text) => log.push(text), onPartOpened: (part) => opened.push(part) },
      resolve,
    );
  });
}

async function runToEnd(task: SlotTask, log: string[] = []) {
  return (await start(task, log)).ended;
}

async function failureOf(task: SlotTask) {
  const { end } = await runToEnd(task);
  return end.kind === 'failed' ? end.failure : end;
}

describe('a slot thread', () => {
  it('runs a task and gives its result, its counters, its log and its progress', async () => {
    const log: string[] = [];
    const task = mapTask(`*map(line, ctx) {
      ctx.counter('lines').add();
      console.log('at', line);
      process.stdout.write('out\\n');
      yield [line, 1];
    }`);
    const run = await start(task, log);
    const { end, counters } = await run.ended;
    expect(end).toMatchObject({ kind: 'done', result: { kind: 'map', inputRecords: 2, inputBytes: 4 } });
    expect(counters).toEqual({ lines: 2 });
    expect(log).toEqual(['at a', 'out', 'at b', 'out']);
    expect(run.progress[progressAt.recordsIn]).toBe(2);
    expect(run.progress[progressAt.bytesIn]).toBe(4);
  });

  it('tells what it takes to drop its part before anything else of the task', async () => {
    const opened: OpenPart[] = [];
    const run = await start(mapTask('*map(line) { yield [line, 1]; }', { reducers: 0 }), [], opened);
    const { end } = await run.ended;
    const part = end.kind === 'done' && end.result.kind === 'map' ? end.result.part : undefined;
    expect(opened).toEqual([{ uri: expect.stringMatching('out/part-m-00000$'), token: part?.token }]);
  });

  it('calls process.exit a user error and names the place', async () => {
    const failure = await failureOf(mapTask('*map(line) { if (line) process.exit(3); yield [line, 1]; }'));
    expect(failure).toMatchObject({
      kind: 'user-error',
      where: 'map',
      message: expect.stringContaining('process.exit(3)'),
      record: expect.stringContaining('in.txt, byte offset 0'),
    });
  });

  it('calls a rejection that nobody awaits a user error', async () => {
    const body =
      'async *map(line) { Promise.reject(new RangeError("left alone")); await new Promise(() => {}); }';
    expect(await failureOf(mapTask(body))).toMatchObject({
      kind: 'user-error',
      name: 'RangeError',
      message: 'left alone',
    });
  });

  it('calls an exception in a callback a user error', async () => {
    const body =
      'async *map(line) { setImmediate(() => { throw new TypeError("late"); }); await new Promise(() => {}); }';
    expect(await failureOf(mapTask(body))).toMatchObject({
      kind: 'user-error',
      name: 'TypeError',
      message: 'late',
    });
  });

  it.each([
    ['between records', 'for (let i = 0; i < 100; i++) kept.set(line + kept.size, i);'],
    ['in an array inside one call', 'const kept = []; for (;;) kept.push({});'],
    ['in a map inside one call', 'const kept = new Map(); for (let i = 0; ; i++) kept.set(i, String(i));'],
    ['in strings inside one call', 'let kept = []; for (let i = 0; ; i++) kept.push("x".repeat(1e6) + i);'],
    ['inside one call', 'const kept = []; for (;;) kept.push(Array.from({ length: 500 }, String));'],
  ])('survives a task that runs out of memory %s, and says which setting gives more', async (_, hog) => {
    const body = `setup() { globalThis.kept = new Map(); }, *map(line) { ${hog} }`;
    const failure = await failureOf(mapTask(body, { lines: 'x\n'.repeat(30_000) }));
    expect(failure).toMatchObject({
      kind: 'out-of-memory',
      heapBytesMax: 48 * MiB,
      message: expect.stringMatching(/48 ?MiB.*--slot-memory/),
    });
    const after = await runToEnd(mapTask('*map(line) { yield [line, 1]; }', { job: 'job-b' }));
    expect(after.end.kind).toBe('done');
  });

  it('is stopped when nothing changes for the timeout, and not before', async () => {
    const run = await start(mapTask('*map(line) { for (;;); }'));
    while (!isMapping(run)) await turn();
    clock.advance(taskTimeoutMs / 4);
    clock.advance(taskTimeoutMs * 0.75 - 1);
    let ended = false;
    run.ended.then(() => {
      ended = true;
    });
    await turn();
    expect(ended).toBe(false);
    clock.advance(taskTimeoutMs);
    const { end } = await run.ended;
    expect(end).toMatchObject({
      kind: 'failed',
      failure: { kind: 'timeout', message: expect.stringContaining('--task-timeout') },
    });
  });

  it('aborts the signal of a cancelled task, which then ends as cancelled', async () => {
    const body =
      'async *map(line, ctx) { await new Promise((done) => ctx.signal.addEventListener("abort", done)); yield [line, 1]; }';
    const run = await start(mapTask(body, { lines: `${'x\n'.repeat(3)}` }));
    while (!isMapping(run)) await turn();
    run.cancel('not wanted');
    expect((await run.ended).end).toEqual({
      kind: 'failed',
      failure: { kind: 'cancelled', message: 'not wanted' },
    });
  });

  it('loses its thread when it ignores a cancel', async () => {
    const run = await start(mapTask('*map(line) { for (;;); }'));
    while (!isMapping(run)) await turn();
    run.cancel('not wanted');
    clock.advance(2_000);
    expect((await run.ended).end).toMatchObject({ failure: { kind: 'cancelled' } });
    expect((await runToEnd(mapTask('*map(line) { yield [line, 1]; }'))).end.kind).toBe('done');
  });

  it('sees the environment without secrets', async () => {
    const log: string[] = [];
    const { SEEN, MILLRACE_TOKEN, AWS_SECRET_ACCESS_KEY } = {
      SEEN: 'SEEN',
      MILLRACE_TOKEN: 'MILLRACE_TOKEN',
      AWS_SECRET_ACCESS_KEY: 'AWS_SECRET_ACCESS_KEY',
    };
    const names = JSON.stringify([SEEN, MILLRACE_TOKEN, AWS_SECRET_ACCESS_KEY]);
    await runToEnd(
      mapTask(`*map(line, ctx) { ctx.log(${names}.map((name) => process.env[name])); }`, { lines: 'a' }),
      log,
    );
    expect(log).toEqual(["[ 'yes', undefined, undefined ]"]);
  });
});

describe('SlotPool', () => {
  const counting = '*map(line, ctx) { ctx.log(globalThis.seen = (globalThis.seen ?? 0) + 1); }';

  it('keeps a thread for the next task of a job, and never for another job', async () => {
    const log: string[] = [];
    const one = { lines: 'a' };
    await runToEnd(mapTask(counting, { ...one, job: 'job-a' }), log);
    await runToEnd(mapTask(counting, { ...one, job: 'job-a' }), log);
    await runToEnd(mapTask(counting, { ...one, job: 'job-b' }), log);
    expect(log).toEqual(['1', '2', '1']);
  });

  it('gives a thread that was started ahead to one job only', async () => {
    const log: string[] = [];
    const one = { lines: 'a' };
    pool.warm();
    await runToEnd(mapTask(counting, { ...one, job: 'job-a' }), log);
    await runToEnd(mapTask(counting, { ...one, job: 'job-a' }), log);
    await pool.endJob('job-a');
    await runToEnd(mapTask(counting, { ...one, job: 'job-b' }), log);
    expect(log).toEqual(['1', '2', '1']);
  });

  it('runs tasks first come, first served, no more at once than there are slots', async () => {
    const order: number[] = [];
    let running = 0;
    const ends = [0, 1, 2].map(
      (index) =>
        new Promise<void>((resolve) => {
          pool.submit(mapTask('*map() {}', { job: `job-${index}` }), deaf, (run) => {
            expect(++running).toBe(1);
            order.push(index);
            run.ended.then(() => {
              running--;
              resolve();
            });
          });
        }),
    );
    await Promise.all(ends);
    expect(order).toEqual([0, 1, 2]);
  });

  it('forgets a waiting task that is withdrawn', async () => {
    const first = await start(mapTask('*map() {}'));
    let started = false;
    const ticket = pool.submit(mapTask('*map() {}'), deaf, () => {
      started = true;
    });
    expect(ticket.withdraw()).toBe(true);
    await first.ended;
    await runToEnd(mapTask('*map() {}'));
    expect(started).toBe(false);
    expect(ticket.withdraw()).toBe(false);
  });
});

await describeWithMinio('a slot thread over a bucket', (minio) => {
  it('reads with credentials that user code finds neither in the environment nor in workerData', async () => {
    await pool.close();
    const env = cleanEnv({ ...process.env, ...minio().env() });
    pool = new SlotPool({ slots: 1, memoryBytesMax: 48 * MiB, clock, env, s3: minio().access() });
    const bucket = await minio().makeBucket();
    const { store } = createStores({ s3: minio().access() }).locate(`s3://${bucket}/`);
    await store.putIfAbsent('in.txt', Buffer.from('a\nb\n'));
    const local = mapTask(`async *map(line, ctx) {
      const { workerData } = await import('node:worker_threads');
      ctx.log(line + JSON.stringify([process.env, workerData]));
    }`);
    if (local.kind !== 'map') throw new Error('it is a map');
    const piece = { ...local.split.pieces[0]!, uri: `s3://${bucket}/in.txt` };
    const log: string[] = [];
    const { end } = await runToEnd({ ...local, split: { ...local.split, pieces: [piece] } }, log);
    expect(end).toMatchObject({ kind: 'done', result: { inputRecords: 2, inputBytes: 4 } });
    expect(log.map((line) => line[0])).toEqual(['a', 'b']);
    const { accessKeyId, secretAccessKey } = minio().credentials;
    for (const secret of [accessKeyId, secretAccessKey]) expect(log.join()).not.toContain(secret);
  });

  it('keeps a cancelled thread until the store has answered for the part it began, so that somebody can drop it', async () => {
    await using proxy = await FaultProxy.start(minio().endpoint);
    await pool.close();
    const s3 = minio().access(proxy.endpoint);
    pool = new SlotPool({ slots: 1, memoryBytesMax: 48 * MiB, clock, env: minio().env(), s3 });
    const bucket = await minio().makeBucket();
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const run = async () => {
      asked.resolve();
      await answered.promise;
    };
    proxy.fail('CreateMultipartUpload', { kind: 'first', run });
    const local = mapTask('*map(line) { yield [line, 1]; }', { reducers: 0 });
    const outputUri = `s3://${bucket}/out/`;
    const opened: OpenPart[] = [];
    const slotRun = await start({ ...local, spec: { ...local.spec, outputUri } }, [], opened);
    let hasEnded = false;
    slotRun.ended.then(() => {
      hasEnded = true;
    });
    await asked.promise;
    slotRun.cancel('not wanted');
    clock.advance(2_000);
    await turn();
    expect(hasEnded).toBe(false);
    answered.resolve();
    expect((await slotRun.ended).end).toMatchObject({ failure: { kind: 'cancelled' } });
    expect(opened).toEqual([{ uri: `${outputUri}part-m-00000`, token: expect.any(String) }]);
  });

  it('ends a cancelled thread all the same when the store never answers', async () => {
    await using proxy = await FaultProxy.start(minio().endpoint);
    await pool.close();
    const s3 = minio().access(proxy.endpoint);
    pool = new SlotPool({ slots: 1, memoryBytesMax: 48 * MiB, clock, env: minio().env(), s3 });
    const asked = Promise.withResolvers<void>();
    const run = async () => {
      asked.resolve();
      await new Promise<never>(() => undefined);
    };
    proxy.fail('CreateMultipartUpload', { kind: 'first', run });
    const local = mapTask('*map(line) { yield [line, 1]; }', { reducers: 0 });
    const outputUri = `s3://${await minio().makeBucket()}/out/`;
    const graceMs = limits.s3PatienceMs + limits.s3SocketTimeoutMs;
    const spec = { ...local.spec, outputUri, taskTimeoutMs: 2 * graceMs };
    const slotRun = await start({ ...local, spec });
    await asked.promise;
    slotRun.cancel('not wanted');
    clock.advance(2_000);
    clock.advance(graceMs);
    expect((await slotRun.ended).end).toMatchObject({ failure: { kind: 'cancelled' } });
  });
});
