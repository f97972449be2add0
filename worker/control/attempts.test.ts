import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { MillraceError } from '../../lib/errors.ts';
import { type AttemptId, formatAttempt, toJobId, toWorkerId } from '../../lib/ids.ts';
import type { JobSpec, SegmentCounts, Split } from '../../lib/job-spec.ts';
import { limits } from '../../lib/limits.ts';
import { createLog } from '../../lib/log.ts';
import { copiesFolder, readIndex } from '../../lib/map-copy.ts';
import type { AttemptReport, FetchProgress, FetchTrouble, PartOpened } from '../../lib/reports.ts';
import { credentialsToWorker, noCredentials } from '../../lib/security/credentials.ts';
import { segmentDigest } from '../../lib/segment-digest.ts';
import { FolderStore } from '../../lib/store/folder-store.ts';
import { createStores } from '../../lib/store/resolve.ts';
import { environmentS3Access } from '../../lib/store/s3/s3-access.ts';
import { fileUri } from '../../lib/store/uri.ts';
import { loadWorkerService } from '../../proto/load.ts';
import { makeTickets } from '../../test/tickets.ts';
import { mapOutputName } from '../map/map-task.ts';
import { PeerChannels } from '../shuffle/fetch.ts';
import { MapOutputs } from '../shuffle/outputs.ts';
import { RunWriter } from '../shuffle/run-file.ts';
import { createProgress } from '../user/progress.ts';
import type { TaskEnd } from '../user/run-task.ts';
import type { SlotRun, TaskListener } from '../user/slot.ts';
import type { SlotTask } from '../user/slot-messages.ts';
import { SlotPool } from '../user/slot-pool.ts';
import { Attempts, type AttemptsPorts } from './attempts.ts';
import { attemptIdOut } from './convert.ts';
import { keepReport } from './kept-report.ts';
import { ScratchBudget } from './scratch-budget.ts';

const jobId = toJobId('job-1');
const lines = 'a b\nb\n';

let directory: string;
let attempts: Attempts;
let budget: ScratchBudget;
let pool: SlotPool;
let outputs: MapOutputs;
let tasksDone: number;
let reports: AttemptReport[];
let fetchProgress: FetchProgress[];
let troubles: FetchTrouble[];
let partsOpened: PartOpened[];
let copied: AttemptId[];
let started: AttemptId[];
let ports: AttemptsPorts;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'attempts-'));
  budget = await ScratchBudget.open({
    directory: join(directory, 'scratch'),
    limitBytes: 1_000_000,
    clock: systemClock,
  });
  [tasksDone, reports, fetchProgress, troubles] = [0, [], [], []];
  [partsOpened, copied, started] = [[], [], []];
  pool = new SlotPool({
    slots: 2,
    memoryBytesMax: 64 * 1024 * 1024,
    clock: systemClock,
    env: {},
    s3: environmentS3Access({}),
  });
  outputs = new MapOutputs();
  let incarnation = 0;
  ports = {
    clock: systemClock,
    log: createLog('test', 'silent'),
    slots: 2,
    pool,
    outputs,
    channels: new PeerChannels(credentialsToWorker(noCredentials)),
    ticketKeys: makeTickets().keys,
    stores: createStores(),
    budget,
    newWorkerId: () => toWorkerId(`w${incarnation++}`),
    reports: () => ({
      isJoined: true,
      report: (report) => reports.push(report),
      fetchProgress: (progress) => fetchProgress.push(progress),
      fetchTrouble: (trouble) => troubles.push(trouble),
      started: (attempt) => started.push(attempt),
      partOpened: (opened) => partsOpened.push(opened),
      mapCopied: (attempt) => copied.push(attempt),
      log: () => undefined,
    }),
    onTaskDone: () => tasksDone++,
  };
  attempts = new Attempts(ports);
});
afterEach(async () => {
  await attempts.close();
  await pool.close();
  expect(budget.usedBytes).toBe(0);
  budget.close();
  rmSync(directory, { recursive: true });
});

const wordMap = '*map(line) { for (const word of line.split(" ")) yield [word, 1]; }';

function giveJob(body = wordMap, changes: Partial<JobSpec> = {}): JobSpec {
  const source = `export default { millraceJob: 1, name: 'j', ${body} };`;
  writeFileSync(join(directory, 'bundle.mjs'), source);
  writeFileSync(join(directory, 'in.txt'), lines);
  const sha256 = createHash('sha256').update(source).digest('hex');
  const spec = {
    jobId,
    name: 'j',
    bundle: { uri: fileUri(join(directory, 'bundle.mjs')), sha256, bytes: source.length },
    input: { kind: 'lines' },
    output: { kind: 'tsv', compression: 'none' },
    outputUri: fileUri(`${directory}/out/`),
    params: {},
    reducers: 2,
    partition: 'hash',
    partOffset: 0,
    taskTimeoutMs: 600_000,
    ...changes,
  } as unknown as JobSpec;
  attempts.onJob({ spec, cutPoints: [], ticket: '' });
  return spec;
}

const idOf = (kind: AttemptId['kind'], index: number, attempt = 0): AttemptId => ({
  jobId,
  kind,
  index,
  attempt,
  epoch: 1,
});

function splitOf(): Split {
  const piece = {
    uri: fileUri(join(directory, 'in.txt')),
    start: 0,
    end: lines.length,
    objectBytes: lines.length,
    etag: '',
  };
  return { pieces: [piece], bytes: lines.length, hosts: [] };
}

async function reportOf(id: AttemptId): Promise<AttemptReport> {
  for (;;) {
    const report = reports.find((candidate) => formatAttempt(candidate.attempt) === formatAttempt(id));
    if (report) return report;
    await turn();
  }
}

async function runMap(index: number, attempt = 0): Promise<readonly SegmentCounts[]> {
  const id = idOf('map', index, attempt);
  attempts.onAssignment({ attempt: id, kind: 'map', split: splitOf() });
  return segmentsOf(await reportOf(id));
}

function segmentsOf({ outcome }: AttemptReport): readonly SegmentCounts[] {
  if (outcome.kind !== 'map-done') throw new Error(JSON.stringify(outcome));
  return outcome.report.segments;
}

function tellLocation(map: number, segments: readonly SegmentCounts[], reduces: readonly number[]): void {
  const digests = reduces.map((reduce) => segmentDigest(segments[reduce]!));
  const location = { map, attempt: 0, epoch: 1, worker: attempts.workerId, digests };
  attempts.onLocations({ jobId, version: map + 1, reduces, found: [location], lost: [], peers: [] });
}

const folder = (id: AttemptId) =>
  join(directory, 'scratch', attempts.workerId, jobId, `${formatAttempt(id)}.e1`);

describe('Attempts', () => {
  it('runs maps, serves their outputs, and reduces what it holds itself', async () => {
    giveJob();
    const first = await runMap(0);
    const reduce = idOf('reduce', 0);
    attempts.onAssignment({ attempt: reduce, kind: 'reduce', maps: 2 });
    tellLocation(0, first, [1, 0]);
    expect(attempts.progress()).toMatchObject([{ attempt: reduce, phase: 'fetch' }]);
    const second = await runMap(1);
    tellLocation(1, second, [0]);
    const { outcome } = await reportOf(reduce);
    const bytes = first[0]!.bytes + second[0]!.bytes;
    const records = first[0]!.records + second[0]!.records;
    expect(outcome).toMatchObject({
      kind: 'reduce-done',
      report: { consumed: { records, bytes }, part: { records } },
    });
    expect(fetchProgress.map(({ maps, complete }) => [maps, complete])).toEqual([
      [[0], false],
      [[1], false],
      [[], true],
    ]);
    while (existsSync(folder(reduce))) await turn();
  });

  it('with sync durability reports a map when the store has its output, and says so again to a new coordinator', async () => {
    const spec = giveJob(wordMap, { durability: 'sync' });
    const id = idOf('map', 0);
    const segments = await runMap(0);
    expect((await reportOf(id)).outcome).toMatchObject({ report: { copied: true } });
    const copy = await readIndex(ports.stores, spec, id);
    expect(copy.worker).toBe(attempts.workerId);
    expect(copy.report.segments.map(segmentDigest)).toEqual(segments.map(segmentDigest));
    attempts.onAnswer(id, true);
    reports.length = 0;
    attempts.onWelcome(makeTickets().issuer.key, true);
    expect(reports).toMatchObject([{ attempt: id, again: true, outcome: { report: { copied: true } } }]);
  });

  it('with sync durability fails a map whose output cannot be copied, and serves nothing of it', async () => {
    const spec = giveJob(wordMap, { durability: 'sync' });
    writeFileSync(join(directory, 'maps'), 'in the way of the folder of copies');
    const id = idOf('map', 0);
    attempts.onAssignment({ attempt: id, kind: 'map', split: splitOf() });
    expect((await reportOf(id)).outcome).toMatchObject({ kind: 'failed', failure: { kind: 'store-failed' } });
    expect(outputs.list()).toEqual([]);
    expect(existsSync(fileURLToPath(copiesFolder(spec)))).toBe(false);
  });

  it('with async durability reports first and tells of the copy later, again at every welcome, until the job ends', async () => {
    const spec = giveJob(wordMap, { durability: 'async' });
    const id = idOf('map', 0);
    await runMap(0);
    expect((await reportOf(id)).outcome).toMatchObject({ report: { copied: false } });
    while (copied.length === 0) await turn();
    expect(copied).toEqual([id]);
    await readIndex(ports.stores, spec, id);
    attempts.onAnswer(id, true);
    [copied, reports] = [[], []];
    attempts.onWelcome(makeTickets().issuer.key, true);
    expect(copied).toEqual([id]);
    expect(reports).toMatchObject([{ attempt: id, outcome: { report: { copied: true } } }]);
    copied = [];
    attempts.onJobEnded(jobId);
    attempts.onWelcome(makeTickets().issuer.key, false);
    expect(copied).toEqual([]);
  });

  it('says again what a reduce holds when a session begins anew', async () => {
    giveJob();
    const segments = await runMap(0);
    attempts.onAssignment({ attempt: idOf('reduce', 0), kind: 'reduce', maps: 2 });
    tellLocation(0, segments, [0]);
    while (fetchProgress.length === 0) await turn();
    fetchProgress.length = 0;
    attempts.onWelcome(makeTickets().issuer.key, false);
    expect(fetchProgress).toEqual([
      { attempt: idOf('reduce', 0), maps: [0], digests: [segmentDigest(segments[0]!)], complete: false },
    ]);
  });

  it('says what part a reduce stages while it runs, and again when a session begins anew', async () => {
    giveJob('*map(line) { yield [line, 1]; }, async *reduce() { await new Promise(() => undefined); }');
    const reduce = idOf('reduce', 0);
    attempts.onAssignment({ attempt: reduce, kind: 'reduce', maps: 1 });
    tellLocation(0, await runMap(0), [0]);
    while (partsOpened.length === 0) await turn();
    const part = { uri: fileUri(`${directory}/out/part-r-00000`), token: expect.stringMatching(/./) };
    expect(partsOpened).toEqual([{ attempt: reduce, part }]);
    attempts.onWelcome(makeTickets().issuer.key, false);
    expect(partsOpened[1]).toEqual(partsOpened[0]);
  });

  it('keeps an accepted output, and drops one that was not', async () => {
    giveJob();
    await runMap(0);
    await runMap(1);
    attempts.onAnswer(idOf('map', 0), true);
    attempts.onAnswer(idOf('map', 1), false);
    expect(outputs.find(jobId, 0, 0, 1)).toBeDefined();
    expect(outputs.find(jobId, 1, 0, 1)).toBeUndefined();
    expect(tasksDone).toBe(2);
    while (existsSync(folder(idOf('map', 1)))) await turn();
    expect(existsSync(folder(idOf('map', 0)))).toBe(true);
  });

  it('deletes a refused output before what it skipped: none that lacks it is ever offered again', async () => {
    const discarded = Promise.withResolvers<boolean>();
    const id = idOf('map', 0);
    const discard = async () => discarded.resolve(existsSync(folder(id)));
    const spy = vi.spyOn(FolderStore.prototype, 'discard').mockImplementation(discard);
    const body = '*map(line) { if (line === "b") throw new Error("bad"); yield [line, 1]; }';
    giveJob(body, { maxBadRecords: { kind: 'count', records: 1 } });
    await runMap(0);
    attempts.onAnswer(id, false);
    expect(await discarded.promise, 'the output is there when the part goes').toBe(false);
    spy.mockRestore();
  });

  it('says its map outputs again to each new coordinator, and drops one that is not wanted any more', async () => {
    giveJob();
    await runMap(0);
    await runMap(1);
    const unanswered = await reportOf(idOf('map', 1));
    attempts.onAnswer(idOf('map', 0), true);
    const first = reports.shift()!;
    attempts.onWelcome(makeTickets().issuer.key, false);
    // That one still waits for its answer: the session says it by itself.
    expect(reports).toEqual([unanswered]);
    attempts.onWelcome(makeTickets().issuer.key, true);
    expect(reports.slice(1)).toMatchObject([{ attempt: first.attempt, again: true, counters: {} }]);
    expect(segmentsOf(reports[1]!).map(segmentDigest)).toEqual(segmentsOf(first).map(segmentDigest));
    attempts.onAnswer(idOf('map', 0), false);
    expect(outputs.find(jobId, 0, 0, 1)).toBeUndefined();
    while (existsSync(folder(idOf('map', 0)))) await turn();
    expect(tasksDone).toBe(1);
  });

  it('says very many map outputs again as the answers come', () => {
    for (let index = 0; index < 100; index++) {
      const path = join(directory, `m${index}`);
      mkdirSync(path);
      const { segments } = new RunWriter(join(path, 'output.run'), 1).finish();
      const sums = { inputRecords: 0, inputBytes: 0, spills: 0, spillBytes: 0 };
      keepReport(path, idOf('map', index), { ...sums, segments, part: undefined }, {});
      outputs.add(idOf('map', index), join(path, 'output.run'));
    }
    attempts.onWelcome(makeTickets().issuer.key, true);
    expect(reports.length).toBeLessThan(100);
    for (let at = 0; at < reports.length; at++) attempts.onAnswer(reports[at]!.attempt, true);
    expect(new Set(reports.map(({ attempt }) => attempt.index)).size).toBe(100);
  });

  it('takes a map output that changed on the own disk for that, not for a copy of what was fetched', async () => {
    giveJob();
    const segments = await runMap(0);
    const path = join(folder(idOf('map', 0)), mapOutputName);
    const bytes = readFileSync(path);
    const partition = segments.findIndex(({ records }) => records > 0);
    // The last byte of the first pairs, which begin after eight bytes.
    bytes[8 + segments[partition]!.bytes - 1]! ^= 1;
    writeFileSync(path, bytes);
    const reduce = idOf('reduce', partition);
    attempts.onAssignment({ attempt: reduce, kind: 'reduce', maps: 1 });
    tellLocation(0, segments, [partition]);
    const failure = { kind: 'corrupt-segment', map: 0, mapAttempt: 0, worker: attempts.workerId };
    expect((await reportOf(reduce)).outcome).toMatchObject({ kind: 'failed', failure });
  });

  it.each([
    ['user-error', 'throw new RangeError("no");', {}],
    ['out-of-memory', 'for (const all = []; ; ) all.push(new Array(100_000).fill(all.length + 0.5));', {}],
    ['timeout', 'for (;;);', { taskTimeoutMs: 8_000 }],
  ])('keeps with the job what a reduce had read that ended with %s', async (kind, body, changes) => {
    giveJob(`${wordMap}, *reduce(word) { ${body} }`, changes);
    const segments = await runMap(0);
    const partition = segments.findIndex(({ records }) => records > 0);
    const reduce = idOf('reduce', partition);
    attempts.onAssignment({ attempt: reduce, kind: 'reduce', maps: 1 });
    tellLocation(0, segments, [partition]);
    expect((await reportOf(reduce)).outcome).toMatchObject({ kind: 'failed', failure: { kind } });
    const kept = JSON.parse(readFileSync(join(directory, `kept/r${partition}/kept.json`), 'utf8'));
    expect(kept).toMatchObject({ maps: 1, objects: 1, bytes: segments[partition]!.bytes });
  });

  it('keeps nothing of a reduce that is cancelled', async () => {
    giveJob(`${wordMap}, async *reduce() { await new Promise(() => undefined); }`);
    const segments = await runMap(0);
    const partition = segments.findIndex(({ records }) => records > 0);
    const reduce = idOf('reduce', partition);
    attempts.onAssignment({ attempt: reduce, kind: 'reduce', maps: 1 });
    tellLocation(0, segments, [partition]);
    while (partsOpened.length === 0) await turn();
    attempts.onCancel(reduce, 'not wanted');
    expect((await reportOf(reduce)).outcome).toMatchObject({ failure: { kind: 'cancelled' } });
    expect(existsSync(join(directory, 'kept'))).toBe(false);
  });

  it('discards the staged part of a reduce that lost', async () => {
    giveJob();
    const segments = await runMap(0);
    const reduce = idOf('reduce', 0);
    attempts.onAssignment({ attempt: reduce, kind: 'reduce', maps: 1 });
    tellLocation(0, segments, [0]);
    await reportOf(reduce);
    const staged = () =>
      readdirSync(join(directory, 'out'), { recursive: true }).filter((name) =>
        String(name).includes('part'),
      );
    expect(staged()).toHaveLength(1);
    attempts.onAnswer(reduce, false);
    while (staged().length > 0) await turn();
  });

  it('ends a cancelled attempt in every phase with one report', async () => {
    giveJob(
      'async *map(line, ctx) { await new Promise((done) => ctx.signal.addEventListener("abort", done)); }',
    );
    const ids = [idOf('map', 0), idOf('map', 1), idOf('map', 2), idOf('reduce', 0)];
    for (const attempt of ids) {
      if (attempt.kind === 'reduce') attempts.onAssignment({ attempt, kind: 'reduce', maps: 3 });
      else attempts.onAssignment({ attempt, kind: 'map', split: splitOf() });
    }
    const mapping = () =>
      attempts.progress().filter(({ phase, recordsIn }) => phase === 'map' && recordsIn > 0);
    while (mapping().length < 2) await turn();
    expect(attempts.progress().map(({ phase }) => phase)).toEqual(['map', 'map', 'waiting', 'fetch']);
    for (const id of ids) attempts.onCancel(id, 'not wanted');
    for (const id of ids) {
      const failure = { kind: 'cancelled', message: expect.stringContaining('cancelled') };
      const { outcome } = await reportOf(id);
      expect(outcome).toMatchObject({
        kind: 'failed',
        failure: id.kind === 'reduce' ? failure : { kind: 'cancelled', message: 'not wanted' },
      });
    }
    expect(reports).toHaveLength(ids.length);
    expect(attempts.progress()).toEqual([]);
  });

  it('removes everything of a job that has ended', async () => {
    giveJob();
    await runMap(0);
    attempts.onJobEnded(jobId);
    expect(outputs.find(jobId, 0, 0, 1)).toBeUndefined();
    while (existsSync(join(directory, 'scratch', 'w0', jobId))) await turn();
  });

  it('starts afresh under a new id when it was given up, and reports nothing of before', async () => {
    giveJob(
      'async *map(line, ctx) { await new Promise((done) => ctx.signal.addEventListener("abort", done)); }',
    );
    attempts.onAssignment({ attempt: idOf('map', 0), kind: 'map', split: splitOf() });
    while (attempts.progress()[0]?.recordsIn !== 1) await turn();
    expect(attempts.onRejoin()).toBe('w1');
    expect(attempts.progress()).toEqual([]);
    while (existsSync(join(directory, 'scratch', 'w0'))) await turn();
    expect(reports).toEqual([]);
    expect(readdirSync(join(directory, 'scratch'))).toEqual(['w1']);
  });

  it('starts afresh although what it had staged too late cannot be dropped, because the store is away', async () => {
    const slot = Promise.withResolvers<TaskEnd>();
    const deaf = {
      submit(_task: SlotTask, _listener: TaskListener, onStart: (run: SlotRun) => void) {
        onStart({ progress: createProgress(), ended: slot.promise, cancel: () => undefined });
        return { withdraw: () => false };
      },
    } as Partial<SlotPool> as SlotPool;
    const away = {
      locate() {
        throw new MillraceError('unavailable', 'the store is away');
      },
    };
    await attempts.close();
    attempts = new Attempts({ ...ports, pool: deaf, stores: away });
    giveJob();
    const { workerId } = attempts;
    attempts.onAssignment({ attempt: idOf('map', 0), kind: 'map', split: splitOf() });
    while (attempts.progress()[0]?.phase !== 'map') await turn();
    attempts.onRejoin();
    const part = { uri: 's3://b/part-m-00000', token: 't', bytes: 1, records: 1, crc32: 1, columns: [] };
    const counts = { inputRecords: 1, inputBytes: 1, segments: [], spills: 0, spillBytes: 0 };
    const result = { kind: 'map' as const, ...counts, part, runPath: undefined };
    slot.resolve({ end: { kind: 'done', result }, counters: {} });
    while (existsSync(join(directory, 'scratch', workerId))) await turn();
  });

  it('tells of so many outputs that its hello stays under the message limit, and of some of each job', () => {
    const jobs = ['job-1', 'job-2'].map((id) => toJobId(id.padEnd(64, 'x')));
    for (const owner of jobs) {
      for (let index = 0; index < limits.heldOutputsMax; index++) {
        outputs.add({ jobId: owner, kind: 'map', index, attempt: 99, epoch: 999 }, '/nowhere');
      }
    }
    const held = attempts.held();
    expect(new Set(held.map((id) => id.jobId))).toEqual(new Set(jobs));
    expect(held.length).toBe(limits.heldOutputsMax);
    const { requestSerialize } = loadWorkerService().service.Session;
    const hello = requestSerialize({ hello: { workerId: 'w', held: held.map(attemptIdOut) } });
    expect(hello.length).toBeLessThan(limits.grpcMessageBytesMax);
  });

  it('does not start an assignment twice', async () => {
    giveJob();
    const attempt = idOf('map', 0);
    attempts.onAssignment({ attempt, kind: 'map', split: splitOf() });
    attempts.onAssignment({ attempt, kind: 'map', split: splitOf() });
    await reportOf(attempt);
    attempts.onAssignment({ attempt, kind: 'map', split: splitOf() });
    expect(attempts.progress()).toEqual([]);
  });
});
