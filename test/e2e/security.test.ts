/** Clusters of real processes with tokens, and with the certificates that `millrace certs` makes. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endAll, runCli } from './cli-process.ts';
import { readParts } from './cluster.ts';
import { type Environment, SecureCluster } from './secure-cluster.ts';

const root = join(import.meta.dirname, '../..');
const wordCount = join(root, 'examples/word-count.ts');
const text = join(root, 'examples/data/text');
const expected = readFileSync(join(root, 'examples/expected/word-count.txt'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'millrace-security-'));

afterEach(endAll);
afterAll(() => rmSync(folder, { recursive: true }));

async function countsWords(cluster: SecureCluster): Promise<void> {
  const output = join(cluster.folder, 'out');
  const ended = await cluster.run([
    'submit',
    wordCount,
    '-i',
    text,
    '-o',
    output,
    '--split-size',
    '100B',
    '-r',
    '3',
  ]);
  expect(ended).toMatchObject({ code: 0 });
  const lines = Object.values(readParts(output)).join('').split('\n').filter(Boolean);
  expect(lines.toSorted()).toEqual(expected.split('\n').filter(Boolean).toSorted());
}

describe('with tokens', () => {
  const tokens = { client: 'client-token-of-this-test', worker: 'worker-token-of-this-test' };
  const tokenFile = join(folder, 'client-token');
  writeFileSync(tokenFile, `${tokens.client}\n`);
  const start = () =>
    SecureCluster.start({
      coordinator: { MILLRACE_CLIENT_TOKEN: tokens.client, MILLRACE_WORKER_TOKEN: tokens.worker },
      worker: { MILLRACE_TOKEN: tokens.worker },
      client: { MILLRACE_TOKEN_FILE: tokenFile },
    });

  it('a cluster counts words for who shows the right token, and does nothing for anybody else', async () => {
    await using cluster = await start();
    await countsWords(cluster);
    const refused: [Environment, RegExp][] = [
      [{}, /no token was shown \(MILLRACE_TOKEN, or --token-file\)/],
      [{ MILLRACE_TOKEN: 'wrong-token-of-this-test' }, /not one of this cluster/],
      [{ MILLRACE_TOKEN: tokens.worker }, /those of a worker, and this call needs those of a client/],
      [{ MILLRACE_TOKEN: 'short' }, /MILLRACE_TOKEN has 5 characters/],
      [{ MILLRACE_TOKEN_FILE: join(folder, 'none') }, /--token-file \(MILLRACE_TOKEN_FILE\) cannot be read/],
    ];
    for (const [env, why] of refused) {
      const ended = await cluster.run(['list'], env);
      expect(ended).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(why) });
    }
    // A token in the environment wins nothing over the file that a flag names.
    expect(
      await cluster.run(['list', '--token-file', tokenFile], { MILLRACE_TOKEN: tokens.worker }),
    ).toMatchObject({
      code: 0,
    });
  }, 60_000);

  it('a worker with the wrong token ends, and says why', async () => {
    await using cluster = await start();
    const ended = await cluster.run(cluster.workerArgs(7), { MILLRACE_TOKEN: tokens.client });
    expect(ended).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/refused this worker: the credentials shown are those of a client/),
    });
  }, 30_000);

  it('run needs none, whatever the environment holds', async () => {
    const env = {
      MILLRACE_TOKEN: tokens.worker,
      MILLRACE_CLIENT_TOKEN: 'x',
      MILLRACE_TLS_CA: '/none/ca.pem',
    };
    const ended = await runCli(['run', wordCount, '-i', text, '--quiet'], { env });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
  }, 30_000);
});

describe('with certificates', () => {
  const dir = join(folder, 'certs');
  const envOf = (role: string, ca = dir): Environment => ({
    MILLRACE_TLS_CA: join(ca, 'ca.pem'),
    MILLRACE_TLS_CERT: join(dir, `${role}.pem`),
    MILLRACE_TLS_KEY: join(dir, `${role}-key.pem`),
  });

  beforeAll(async () => {
    const made = await runCli(['certs', dir, '--host', 'box.example', '--json']);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(made.stdout).files).toHaveLength(8);
  });

  it('keys are for their owner alone, and nothing is overwritten', async () => {
    const modes = readdirSync(dir).map((name) => [
      name.endsWith('-key.pem'),
      statSync(join(dir, name)).mode & 0o777,
    ]);
    expect(modes.every(([isKey, mode]) => mode === (isKey ? 0o600 : 0o644))).toBe(true);
    const before = readFileSync(join(dir, 'ca-key.pem'), 'utf8');
    expect(await runCli(['certs', dir])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/ca.pem exists already/),
    });
    expect(readFileSync(join(dir, 'ca-key.pem'), 'utf8')).toBe(before);
  });

  it('a cluster counts words for who shows one of the CA and the right role', async () => {
    const [coordinator, worker, client] = [envOf('coordinator'), envOf('worker'), envOf('client')];
    await using cluster = await SecureCluster.start({ coordinator, worker, client });
    await countsWords(cluster);
    expect(await cluster.run(['list'], worker)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/needs those of a client/),
    });
    expect(await cluster.run(['list'], {})).toMatchObject({ code: 3, stdout: '' });
    expect(await cluster.run(cluster.workerArgs(7), client)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/refused this worker.*needs those of a worker/),
    });
  }, 60_000);
});

describe('beyond loopback', () => {
  it.each([
    [['coordinator', '--store', folder, '--listen', '0.0.0.0:0'], {}],
    [['coordinator', '--store', folder, '--listen', '127.0.0.1:0', '--http', '[::]:0'], {}],
    [['worker', '--listen', '0.0.0.0:0'], {}],
    [
      ['dev', '--listen', '0.0.0.0:0'],
      { MILLRACE_CLIENT_TOKEN: 'c'.repeat(16), MILLRACE_WORKER_TOKEN: 'w'.repeat(16) },
    ],
  ])('%j does not start without credentials', async (args, env) => {
    expect(await runCli(args, { env })).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/reachable from other machines without credentials; set .*MILLRACE_/),
    });
  });
});
