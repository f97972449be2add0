import { beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../lib/clock.ts';
import type { DiagnosisReport } from '../lib/diagnosis.ts';
import type { WorkerId } from '../lib/ids.ts';
import { MemoryStore } from '../lib/store/memory-store.ts';
import { createStores, memoryStore } from '../lib/store/resolve.ts';
import { softwareVersion } from '../lib/version.ts';
import type { Diagnose } from '../proto/gen/millrace/v1/Diagnose.ts';
import { Arrivals } from '../test/arrivals.ts';
import { type DiagnosedWorker, Diagnoser, type WorkerAnswer } from './diagnose.ts';

let clock: ManualClock;
let workers: DiagnosedWorker[];
let asked: Arrivals<{ worker: WorkerId; request: Diagnose }>;
let diagnoser: Diagnoser;
let probed: { check: string; ok: boolean; detail: string; ms: number }[];

beforeEach(() => {
  clock = new ManualClock();
  workers = [];
  asked = new Arrivals();
  probed = [{ check: 'store: put', ok: true, detail: '', ms: 1 }];
  diagnoser = new Diagnoser({
    clock,
    stores: createStores(),
    storeUri: 'mem://doctor/c/',
    epoch: 3,
    probeStore: async () => probed,
    workers: () => workers,
    send: (worker, request) => asked.push({ worker, request }),
    pingTicket: () => 'the ticket',
  });
});

function addWorkers(count: number): void {
  workers = Array.from({ length: count }, (_, i) => ({
    workerId: `w${i}`,
    state: 'ready',
    host: 'h',
    fetchAddress: `h:${i}`,
  }));
}

function answerTo(request: Diagnose, fields: Partial<WorkerAnswer> = {}): WorkerAnswer {
  return {
    id: request.id!,
    clockMs: clock.now(),
    softwareVersion: softwareVersion(),
    nodeVersion: 'v24',
    findings: [],
    ...fields,
  };
}

/** Runs a diagnosis in which every worker answers at once. */
async function runAnswered(fields: (worker: WorkerId) => Partial<WorkerAnswer> = () => ({})) {
  const requests = new Map<WorkerId, Diagnose>();
  const report = diagnoser.run();
  for (const _ of workers) {
    const { worker, request } = await asked.next();
    requests.set(worker, request);
    diagnoser.answered(worker, answerTo(request, fields(worker)));
  }
  return { report: await report, requests };
}

function failures(report: DiagnosisReport): string[] {
  return report.diagnoses.flatMap(({ where, findings }) =>
    findings.filter(({ ok }) => !ok).map(({ check, detail }) => `${where} ${check}: ${detail}`),
  );
}

test('every worker is told every other one, a ticket, and an object to read that is gone afterwards', async () => {
  addWorkers(3);
  const store = memoryStore('doctor');
  const report = diagnoser.run();
  for (let i = 0; i < 3; i++) {
    const { worker, request } = await asked.next();
    expect(request.peers!.map((peer) => peer.worker).sort()).toEqual(
      ['w0', 'w1', 'w2'].filter((other) => other !== worker),
    );
    expect(request.ticket).toBe('the ticket');
    const key = request.storeUri!.replace('mem://doctor/', '');
    expect(key).toMatch(/^c\/doctor\/[0-9a-f-]{36}\/note$/);
    expect(await store.head(key)).toBeDefined();
    diagnoser.answered(worker, answerTo(request));
  }
  const { ok, diagnoses } = await report;
  expect(ok).toBe(true);
  expect(diagnoses.map(({ where }) => where)).toEqual(['coordinator', 'w0', 'w1', 'w2']);
  for await (const { key } of store.list('')) expect(key).toBe('nothing is left');
});

test('one failed finding anywhere makes the whole report fail', async () => {
  addWorkers(2);
  const bad = { check: 'fetch from w0', ok: false, detail: 'leads elsewhere', ms: 1 };
  const { report } = await runAnswered((worker) => (worker === 'w1' ? { findings: [bad] } : {}));
  expect(report.ok).toBe(false);
  expect(failures(report)).toEqual(['w1 fetch from w0: leads elsewhere']);
});

test('another version and a wrong clock are named', async () => {
  addWorkers(2);
  const { report } = await runAnswered((worker) =>
    worker === 'w0' ? { softwareVersion: '9.9.9' } : { clockMs: clock.now() - 60_000 },
  );
  expect(failures(report)).toEqual([
    expect.stringMatching(/^w0 version: millrace 9\.9\.9, and the coordinator is /),
    expect.stringMatching(/^w1 clock: 1m behind the coordinator's clock/),
  ]);
});

test('a worker that does not answer in time, and one without a session, fail by themselves', async () => {
  addWorkers(3);
  workers[0] = { ...workers[0]!, state: 'disconnected' };
  const report = diagnoser.run();
  const first = await asked.next();
  await asked.next();
  diagnoser.answered(first.worker, answerTo(first.request));
  clock.advance(20_000);
  const silent = first.worker === 'w1' ? 'w2' : 'w1';
  const said = failures(await report);
  expect(said).toHaveLength(2);
  expect(said[0]).toMatch(/^w0 answer: worker w0 on h: its session is broken/);
  expect(said.find((text) => text.startsWith(silent))).toMatch(/no answer within 20s/);
});

test('an answer to an earlier diagnosis is not taken for one of this', async () => {
  addWorkers(1);
  const report = diagnoser.run();
  const { worker, request } = await asked.next();
  diagnoser.answered(worker, answerTo(request, { id: 'an older one', softwareVersion: '9.9.9' }));
  diagnoser.answered(worker, answerTo(request));
  expect(failures(await report)).toEqual([]);
});

test('no worker at all is a failure that says how to start one', async () => {
  expect(failures(await diagnoser.run())).toEqual([
    expect.stringMatching(/^coordinator workers: no worker is connected.*millrace worker --coordinator/),
  ]);
});

test('who asks at the same time gets the same report', async () => {
  const [a, b] = await Promise.all([diagnoser.run(), diagnoser.run()]);
  expect(a).toBe(b);
  expect(await diagnoser.run()).not.toBe(a);
});

test('beyond 50 workers each asks a sample of equal size, everybody is asked for, and the report says so', async () => {
  addWorkers(200);
  const { report, requests } = await runAnswered();
  const peers = [...requests.values()].map((request) => request.peers!.map((peer) => peer.worker));
  expect(new Set(peers.map((list) => list.length))).toEqual(new Set([12]));
  const askedFor = new Map<string, number>();
  for (const name of peers.flat()) askedFor.set(name!, (askedFor.get(name!) ?? 0) + 1);
  expect(new Set(askedFor.values())).toEqual(new Set([12]));
  expect(askedFor.size).toBe(200);
  for (const [worker, request] of requests)
    expect(request.peers!.map((peer) => peer.worker)).not.toContain(worker);
  const found = report.diagnoses[0]!.findings.find(({ check }) => check === 'workers');
  expect(found!.detail).toMatch(/200 ready; each asked for 12 peers of 199/);
});

test('of very many workers only so many are asked, and the report says so', async () => {
  addWorkers(1_001);
  const report = diagnoser.run();
  for (let i = 0; i < 1_000; i++) {
    const { worker, request } = await asked.next();
    diagnoser.answered(worker, answerTo(request));
  }
  expect((await report).diagnoses).toHaveLength(1_001);
  expect((await report).diagnoses[0]!.findings.at(-1)!.detail).toMatch(/1001 ready; 1000 of them asked/);
});

test('a store that fails is a finding of the coordinator, and the workers are asked all the same', async () => {
  class BrokenStore extends MemoryStore {
    override async stage(): Promise<never> {
      throw new Error('no such bucket');
    }
  }
  const store = new BrokenStore();
  diagnoser = new Diagnoser({
    clock,
    stores: { locate: (uri) => ({ store, key: 'c/', uri }) },
    storeUri: 's3://b/c/',
    epoch: 1,
    probeStore: async () => [{ check: 'store: put', ok: false, detail: 'no such bucket', ms: 1 }],
    workers: () => workers,
    send: (worker, request) => asked.push({ worker, request }),
    pingTicket: () => '',
  });
  addWorkers(1);
  const { report, requests } = await runAnswered();
  expect([...requests.values()][0]!.storeUri).toBe('');
  expect(failures(report)).toEqual([
    'coordinator store: write for the workers: no such bucket',
    'coordinator store: put: no such bucket',
  ]);
});

test('the coordinator says that it leads, since when and in which epoch', async () => {
  clock.advance(90_000);
  const [own] = (await diagnoser.run()).diagnoses;
  expect(own?.findings[0]).toMatchObject({
    check: 'lead',
    ok: true,
    detail: expect.stringMatching(
      /^process \d+ on .* leads since 1970-01-01T00:16:40.000Z \(1m 30s\), epoch 3$/,
    ),
  });
});
