/** TLS and tokens, and the coordinator that leads is killed: clients, workers and who follows a log go on with the other one. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';
import { endAll, runCli, startCli } from './cli-process.ts';
import { readParts } from './cluster.ts';
import { type Environment, SecureCluster } from './secure-cluster.ts';

const slowWordCount = join(import.meta.dirname, 'jobs/slow-word-count.ts');
const tokens = { client: 'client-token-of-this-test', worker: 'worker-token-of-this-test' };
const maps = 12;

let folder: string;
let client: Environment;
let cluster: SecureCluster;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-secure-standby-'));
  const certs = join(folder, 'certs');
  expect(await runCli(['certs', certs])).toMatchObject({ code: 0 });
  const ca = { MILLRACE_TLS_CA: join(certs, 'ca.pem') };
  const pairOf = (role: string): Environment => ({
    MILLRACE_TLS_CERT: join(certs, `${role}.pem`),
    MILLRACE_TLS_KEY: join(certs, `${role}-key.pem`),
  });
  client = { ...ca, MILLRACE_TOKEN: tokens.client };
  cluster = await SecureCluster.start({
    standby: true,
    coordinator: {
      ...pairOf('coordinator'),
      MILLRACE_CLIENT_TOKEN: tokens.client,
      MILLRACE_WORKER_TOKEN: tokens.worker,
    },
    worker: { ...ca, ...pairOf('worker'), MILLRACE_TOKEN: tokens.worker },
    client,
  });
}, 60_000);
afterEach(endAll);
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('doctor says who leads and who stands by; after a kill jobs and logs go on under the other one', async () => {
  const [leader, standby] = cluster.address.split(',') as [string, string];
  const before = await cluster.run(['doctor']);
  expect(before.stdout).toMatch(new RegExp(`role of ${leader} +leads`));
  expect(before.stdout).toMatch(
    new RegExp(`role of ${standby} +.*standby; the one that leads is at ${leader}`),
  );
  expect(before.stdout).toMatch(/lead +process \d+ on .* leads since .* epoch 1\n/);
  expect(before.code).toBe(0);

  const notes = join(folder, 'notes');
  mkdirSync(notes);
  const input = join(folder, 'text.txt');
  writeFileSync(input, 'mill race weir\n'.repeat(1_200));
  const output = join(folder, 'out');
  const where = ['-i', input, '-o', output, '--maps', String(maps), '-r', '2'];
  const params = ['--param', 'mapMs=400', '--param', `notes=${notes}`];
  const env = { ...client, MILLRACE_COORDINATOR: cluster.address };
  const submitted = startCli(['submit', slowWordCount, ...where, ...params, '--json'], { env });
  const { jobId } = JSON.parse(await submitted.firstLine) as { jobId: string };
  const followed = startCli(['logs', jobId, '--follow'], { env });
  await followed.firstLine;
  await until('five attempts have begun', () => readdirSync(notes).length >= 5);
  cluster.killLeader();

  expect((await submitted.ended).code).toBe(0);
  const log = await followed.ended;
  expect(log).toMatchObject({ code: 0 });
  const begun = [...log.stdout.matchAll(/ (\w+) begins$/gm)].map(([, task]) => task);
  expect(log.stdout).toMatch(/the connection broke: lines from before may be missing/);
  expect(new Set(begun).size).toBe(begun.length);
  expect(begun).toContain('r1');
  expect(Object.values(readParts(output)).join('').split('\n').sort().join(' ').trim()).toBe(
    'mill\t1200 race\t1200 weir\t1200',
  );

  const after = await cluster.run(['doctor']);
  expect(after.stdout).toMatch(/lead +process \d+ on .* leads since .* epoch 2\n/);
  expect(after.stdout).toMatch(new RegExp(`role of ${standby} +leads`));
  // That it cannot be reached is said once.
  expect(after.stdout.split(leader)).toHaveLength(2);
}, 120_000);
