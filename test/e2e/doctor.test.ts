/** `millrace doctor` against real processes: each thing that is set up wrong is named, with the setting to change. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { DiagnosisReport } from '../../lib/diagnosis.ts';
import { endAll, runCli, startCli } from './cli-process.ts';
import { Cluster } from './cluster.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-doctor-'));
});
afterEach(endAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const doctor = (address: string, env: Record<string, string> = {}, ...flags: string[]) =>
  runCli(['doctor', '--coordinator', address, ...flags], { env });

/** A coordinator alone; resolves with its address. */
async function startCoordinator(store: string, env: Record<string, string> = {}, ...flags: string[]) {
  const listen = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0'];
  const { firstLine } = startCli(['coordinator', ...listen, '--store', store, '--json', ...flags], { env });
  return (JSON.parse(await firstLine) as { listening: string }).listening;
}

/** A worker that listens may not have joined yet. */
async function allJoined(cluster: Cluster): Promise<void> {
  for (;;) {
    if ((await cluster.client.workers()).length === cluster.workers.length) return;
  }
}

test('a cluster that is well passes, for people and for programs, and its store is as it was', async () => {
  await using cluster = await Cluster.start({ workers: 3 });
  await allJoined(cluster);
  const store = join(cluster.folder, 'store');
  const before = readdirSync(store).sort();
  const ended = await doctor(cluster.address);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toMatch(/ok {4}store: conditional put/);
  expect(ended.stdout.match(/fetch from 2 workers/g)).toHaveLength(3);
  expect(ended.stdout).toMatch(/\d+ checks, all ok\n$/);
  expect(readdirSync(store).sort()).toEqual(before);

  const json = await doctor(cluster.address, {}, '--json');
  const report = JSON.parse(json.stdout) as DiagnosisReport;
  expect(report.ok).toBe(true);
  expect(report.diagnoses.map(({ where }) => where).slice(0, 2)).toEqual(['client', 'coordinator']);
  expect(report.diagnoses).toHaveLength(5);
});

test('a worker that advertises a wrong address is named, with the setting, by each of the others', async () => {
  await using cluster = await Cluster.start({
    workers: 3,
    workerFlags: (i) => (i === 1 ? ['--advertise', '127.0.0.1:1'] : []),
  });
  await allJoined(cluster);
  const ended = await doctor(cluster.address);
  expect(ended.code).toBe(1);
  const failed = ended.stdout.split('\n').filter((line) => line.includes('FAIL'));
  expect(failed).toHaveLength(2);
  for (const line of failed) {
    expect(line).toMatch(
      /FAIL {2}fetch from (\S+) +nothing listens at 127\.0\.0\.1:1: --advertise \(MILLRACE_ADVERTISE\) of worker \1/,
    );
  }
});

test('no coordinator, and a name that nobody knows: exit code 3', async () => {
  const refused = await doctor('127.0.0.1:1');
  expect(refused).toMatchObject({ code: 3, stderr: '' });
  expect(refused.stdout).toMatch(/FAIL {2}connection +nothing listens at 127\.0\.0\.1:1: .*--coordinator/);
  const unknown = await doctor('coordinator.invalid:7450');
  expect(unknown.code).toBe(3);
  expect(unknown.stdout).toMatch(/FAIL {2}name +the name coordinator\.invalid is not known here/);
});

test('no token, a wrong one, and that of a worker: reached, and refused with the setting', async () => {
  const [client, worker] = ['client-0123456789abcdef', 'worker-0123456789abcdef'];
  const address = await startCoordinator(join(folder, 'tokens'), {
    MILLRACE_CLIENT_TOKEN: client,
    MILLRACE_WORKER_TOKEN: worker,
  });
  const failed = async (env: Record<string, string>) => {
    const ended = await doctor(address, env);
    expect(ended.code).toBe(1);
    return ended.stdout.split('\n').find((line) => line.includes('FAIL'));
  };
  expect(await failed({})).toMatch(/coordinator +no token was shown \(MILLRACE_TOKEN, or --token-file\)/);
  const wrong = await failed({ MILLRACE_TOKEN: 'another-0123456789abcdef' });
  expect(wrong).toMatch(/coordinator +the token shown is not one of this cluster/);
  expect(wrong).not.toContain('another-');
  expect(await failed({ MILLRACE_TOKEN: worker })).toMatch(/those of a worker.*needs those of a client/);
  expect(await failed({ MILLRACE_TOKEN: client })).toMatch(/workers +no worker is connected/);
});

test('TLS on one side only is told from a coordinator that is down', async () => {
  const certs = join(folder, 'certs');
  expect(await runCli(['certs', certs])).toMatchObject({ code: 0 });
  const file = (name: string) => join(certs, name);
  const tls = (role: string) => ({
    MILLRACE_TLS_CA: file('ca.pem'),
    MILLRACE_TLS_CERT: file(`${role}.pem`),
    MILLRACE_TLS_KEY: file(`${role}-key.pem`),
  });
  const secret = await startCoordinator(join(folder, 'tls'), tls('coordinator'));
  const plain = await doctor(secret);
  expect(plain.code).toBe(3);
  expect(plain.stdout).toMatch(/takes connections, but it speaks TLS: give --tls-ca/);
  expect((await doctor(secret, tls('client'))).stdout).toMatch(/ok {4}coordinator +answers/);

  const open = await startCoordinator(join(folder, 'plain'));
  const ended = await doctor(open, tls('client'));
  expect(ended.code).toBe(3);
  expect(ended.stdout).toMatch(/takes connections, but it speaks no TLS: leave --tls-ca/);
});

test("a store that cannot be written is the coordinator's finding", async () => {
  const store = join(folder, 'broken');
  const address = await startCoordinator(store);
  writeFileSync(join(store, 'doctor'), 'in the way');
  const ended = await doctor(address);
  expect(ended.code).toBe(1);
  expect(ended.stdout).toMatch(/FAIL {2}store: multipart .*doctor/);
});

test('--store checks a store from here, without a coordinator; MILLRACE_STORE alone does not ask for that', async () => {
  const store = join(folder, 'local');
  mkdirSync(store);
  const ended = await runCli(['doctor', '--store', store]);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(ended.stdout).toMatch(/^client .*\n {2}ok {4}store: multipart(?:.|\n)*7 checks, all ok\n$/);
  expect(readdirSync(store)).toEqual([]);
  const cluster = await doctor('127.0.0.1:1', { MILLRACE_STORE: store });
  expect(cluster.code).toBe(3);
});
