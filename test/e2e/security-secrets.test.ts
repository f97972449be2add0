/** Secrets that can be recognised go through a cluster that succeeds, fails and is asked wrongly: none of them is ever written down. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { endAll, runCli } from './cli-process.ts';
import { type Environment, SecureCluster } from './secure-cluster.ts';

const printEnv = join(import.meta.dirname, 'jobs/print-env.ts');
const folder = mkdtempSync(join(tmpdir(), 'millrace-secrets-'));
const certs = join(folder, 'certs');
const input = join(folder, 'in.txt');

const tokens = {
  client: 'marker-client-token-4711',
  worker: 'marker-worker-token-4712',
  wrong: 'marker-wrong-token-4713',
};
/** Of a store that refuses everything, at once: errors of the AWS SDK are among what is searched. */
const aws = {
  AWS_ACCESS_KEY_ID: 'markerawskeyid4714',
  AWS_SECRET_ACCESS_KEY: 'marker-aws-secret-4715',
  AWS_SESSION_TOKEN: 'marker-aws-session-4716',
  AWS_ENDPOINT_URL_S3: '',
};
let refused = 0;
const s3 = createServer((_request, answer) => {
  refused++;
  const body = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>not for you</Message></Error>';
  answer.writeHead(403, { 'content-type': 'application/xml' }).end(body);
});
const ca = { MILLRACE_TLS_CA: join(certs, 'ca.pem') };
const pairOf = (role: string): Environment => ({
  MILLRACE_TLS_CERT: join(certs, `${role}.pem`),
  MILLRACE_TLS_KEY: join(certs, `${role}-key.pem`),
});

let cluster: SecureCluster;

beforeAll(async () => {
  writeFileSync(input, 'one\ntwo\n');
  await new Promise<void>((resolve) => s3.listen(0, '127.0.0.1', resolve));
  aws.AWS_ENDPOINT_URL_S3 = `http://127.0.0.1:${(s3.address() as AddressInfo).port}`;
  expect(await runCli(['certs', certs])).toMatchObject({ code: 0 });
  // A token over TLS: the coordinator shows a certificate, callers show tokens.
  cluster = await SecureCluster.start({
    coordinator: {
      ...aws,
      ...pairOf('coordinator'),
      MILLRACE_CLIENT_TOKEN: tokens.client,
      MILLRACE_WORKER_TOKEN: tokens.worker,
    },
    worker: { ...aws, ...ca, ...pairOf('worker'), MILLRACE_TOKEN: tokens.worker },
    client: { ...aws, ...ca, MILLRACE_TOKEN: tokens.client },
  });
}, 30_000);
afterEach(endAll);
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  s3.closeAllConnections();
  s3.close();
  rmSync(folder, { recursive: true });
});

const secrets = () => [
  ...Object.values(tokens),
  ...[aws.AWS_ACCESS_KEY_ID, aws.AWS_SECRET_ACCESS_KEY, aws.AWS_SESSION_TOKEN],
  ...['ca', 'coordinator', 'worker', 'client'].flatMap((name) => {
    const lines = readFileSync(join(certs, `${name}-key.pem`), 'utf8').split('\n');
    return lines.filter((line) => line.length > 20 && !line.startsWith('-----'));
  }),
];

it('no token, key or AWS secret is in what is printed, stored, logged or measured', async () => {
  const jobs = [
    ['submit', printEnv, '-i', input, '-o', join(cluster.folder, 'out')],
    ['submit', printEnv, '-i', input, '-o', join(cluster.folder, 'failed'), '--param', 'fail=true'],
    ['submit', printEnv, '-i', 's3://bucket/none', '-o', join(cluster.folder, 'none')],
    ['submit', printEnv, '-i', input, '-o', 's3://bucket/none'],
  ];
  const codes = [];
  for (const job of jobs) codes.push((await cluster.run(job)).code);
  expect(codes).toEqual([0, 1, expect.any(Number), expect.any(Number)]);
  const { stdout } = await cluster.run(['list', '--json']);
  const listed = JSON.parse(stdout) as { jobId: string }[];
  expect(listed.length).toBeGreaterThanOrEqual(2);
  for (const { jobId } of listed)
    for (const command of ['status', 'logs', 'explain', 'results'])
      await cluster.run([command, jobId, '--json']);
  await cluster.run(['list'], { ...ca, MILLRACE_TOKEN: tokens.wrong });
  await cluster.run(['list'], { MILLRACE_TOKEN: tokens.client });
  await cluster.run(cluster.workerArgs(7), { ...ca, MILLRACE_TOKEN: tokens.wrong });
  await cluster.run(['workers', '--json']);
  await cluster.run(['doctor', '--json']);
  const metrics = await metricsText();
  const written = filesBelow(cluster.folder);
  const printed = await cluster.stop();

  expect(refused).toBeGreaterThan(0);
  // The search sees what it is to see: the job's log and output, the refusals and the failures.
  expect(printed).toMatch(/"PATH"/);
  expect(printed).toMatch(/a call was refused/);
  expect(Object.values(written).join('')).toMatch(/print-env/);
  const places = { printed, metrics, ...written, ...filesBelow(cluster.folder) };
  for (const [place, text] of Object.entries(places))
    for (const secret of secrets())
      expect(text.includes(secret as string), `${place} holds ${secret?.slice(0, 24)}`).toBe(false);
}, 120_000);

async function metricsText(): Promise<string> {
  const headers = { authorization: `Bearer ${tokens.client}` };
  const options = { headers, ca: readFileSync(join(certs, 'ca.pem')), agent: false };
  const [status, text] = await new Promise<[number | undefined, string]>((resolve, reject) => {
    get(`https://${cluster.httpAddress}/metrics`, options, (answer) => {
      answer.toArray().then((chunks) => resolve([answer.statusCode, chunks.join('')]), reject);
    }).on('error', reject);
  });
  expect(status).toBe(200);
  return text;
}

function filesBelow(root: string): Record<string, string> {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).map((path) => join(root, path));
  const files = paths.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  return Object.fromEntries(files.map((path) => [path, readFileSync(path, 'latin1')]));
}
