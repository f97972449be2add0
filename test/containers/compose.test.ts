/** docker-compose.yml itself, driven as a user does: start, submit from the host, look, kill a worker, stop. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dockerEnvironment, read } from '../../scripts/cluster/docker.ts';
import { ensureEnvFile } from '../../scripts/cluster/env-file.ts';
import { readmeCode } from '../readme-code.ts';
import { findDocker } from './find-docker.ts';

const root = join(import.meta.dirname, '../..');
const anyPort = '0';
/** The test's own timeout cannot end a program that it waits for. */
const programTimeoutMs = 120_000;

interface Inspected {
  readonly Name: string;
  readonly Config: { readonly User: string; readonly Image: string };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly CapDrop: readonly string[];
    readonly SecurityOpt: readonly string[];
    readonly Memory: number;
    readonly NanoCpus: number;
  };
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string }[] | null>>;
  };
}

describe.skipIf(!findDocker())('npm run cluster', () => {
  const project = `millrace-test-${randomBytes(4).toString('hex')}`;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-compose-'));
  const envFile = join(folder, 'test.env');
  let started: string;
  let clientEnv: Record<string, string>;

  /** Throws with what it said when it fails. */
  const cluster = (...args: string[]) =>
    run([join(root, 'scripts/cluster.ts'), ...args, '--env-file', envFile]);
  const millrace = (...args: string[]) => run([join(root, 'dist/cli/main.js'), ...args], clientEnv);
  const containers = (service: string): Inspected[] => {
    const labels = [`project=${project}`, `service=${service}`].flatMap((label) => [
      '--filter',
      `label=com.docker.compose.${label}`,
    ]);
    const ids = read(['docker', 'ps', '--quiet', ...labels], root)
      .split('\n')
      .filter(Boolean);
    return ids.length === 0 ? [] : JSON.parse(read(['docker', 'inspect', ...ids], root));
  };

  beforeAll(() => {
    const ports = ['COORDINATOR_PORT', 'COORDINATOR_HTTP_PORT', 'MINIO_PORT', 'MINIO_CONSOLE_PORT'];
    ensureEnvFile(envFile, {
      COMPOSE_PROJECT_NAME: project,
      MILLRACE_IMAGE: `${project}:latest`,
      ...Object.fromEntries(ports.map((name) => [name, anyPort])),
    });
    started = cluster('start', '--workers', '2');
    const lines = cluster('env').trim().split('\n');
    clientEnv = Object.fromEntries(
      lines.map((line) => {
        const [, name = '', value = ''] = /^export (\w+)='(.*)'$/.exec(line) ?? [];
        return [name, value];
      }),
    );
  }, 180_000);
  afterAll(() => {
    cluster('stop', '--remove');
    read(['docker', 'rmi', '--force', `${project}:latest`], root);
    rmSync(folder, { recursive: true, force: true });
  });

  test('says where everything is', () => {
    expect(started).toMatch(/coordinator +127\.0\.0\.1:\d+/);
    expect(started).toMatch(/MinIO console +http:\/\/127\.0\.0\.1:\d+/);
    expect(Object.keys(clientEnv)).toContain('MILLRACE_TOKEN');
  });

  test('input of the host, a job from bucket to bucket: right results, in the console, too', async () => {
    writeFileSync(join(folder, 'text.txt'), 'the mill and the wheel\nthe race\n');
    const job = join(root, 'examples/word-count.ts');
    expect(cluster('put', join(folder, 'text.txt'))).toBe('s3://input/text.txt\n');
    const [id = ''] = millrace('submit', job, '-i', 's3://input/text.txt', '-o', 's3://output/words')
      .trim()
      .split('\n');
    const results = millrace('results', id).trim().split('\n').sort();
    expect(results).toEqual(['and\t1', 'mill\t1', 'race\t1', 'the\t3', 'wheel\t1']);
    const [, consoleUrl = ''] = /MinIO console +(http:\S+)/.exec(started) ?? [];
    expect(await browse(consoleUrl, 'output', 'words/')).toEqual([
      'words/_SUCCESS',
      ...[0, 1, 2, 3].map((part) => `words/part-r-0000${part}`),
    ]);
    expect(await browse(consoleUrl, 'millrace', `jobs/${id}/`)).toContain(`jobs/${id}/spec.json`);
  });

  test('the program of the README submits its job and prints the result', () => {
    mkdirSync(join(root, '.millrace'), { recursive: true });
    // Below the checkout, where it finds millrace by name.
    const programs = mkdtempSync(join(root, '.millrace/compose-test-'));
    try {
      writeFileSync(join(programs, 'slowest.ts'), readmeCode('// slowest.ts'));
      writeFileSync(join(programs, 'submit.ts'), readmeCode('connect()'));
      writeFileSync(join(folder, 'hits.jsonl'), '{"path":"/a","ms":3}\n{"path":"/a","ms":7}\n');
      cluster('put', join(folder, 'hits.jsonl'));
      expect(run([join(programs, 'submit.ts')], clientEnv)).toBe('/a 7\n');
    } finally {
      rmSync(programs, { recursive: true });
    }
  });

  /** What the reader sees in the console. */
  async function browse(consoleUrl: string, bucket: string, prefix: string): Promise<string[]> {
    const { S3_READER_SECRET: secretKey } = ensureEnvFile(envFile);
    const login = await fetch(`${consoleUrl}/api/v1/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ accessKey: 'millrace-reader', secretKey }),
    });
    expect(login.status).toBe(204);
    const [cookie = ''] = login.headers.getSetCookie().map((header) => header.split(';')[0]);
    const url = `${consoleUrl}/api/v1/buckets/${bucket}/objects?prefix=${encodeURIComponent(prefix)}`;
    const answer = await fetch(url, { headers: { cookie } });
    expect(answer.status).toBe(200);
    const { objects } = (await answer.json()) as { objects: { name: string }[] };
    return objects.map(({ name }) => name).sort();
  }

  test('containers have no more than they need', () => {
    const running = ['minio', 'coordinator', 'worker'].flatMap(containers);
    expect(running).toHaveLength(4);
    for (const { HostConfig } of running) {
      expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'] });
      expect(HostConfig.SecurityOpt.join()).toContain('no-new-privileges');
      expect(HostConfig.Memory).toBeGreaterThan(0);
      expect(HostConfig.NanoCpus).toBeGreaterThan(0);
    }
    for (const { Config } of ['coordinator', 'worker'].flatMap(containers))
      expect(Config.User).toBe('1000:1000');
  });

  test('nothing is published beyond loopback, and of workers nothing at all', () => {
    const hosts = (service: string) =>
      containers(service).flatMap(({ NetworkSettings }) =>
        Object.values(NetworkSettings.Ports).flatMap((bound) => (bound ?? []).map(({ HostIp }) => HostIp)),
      );
    expect(hosts('minio')).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(hosts('coordinator')).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(hosts('worker')).toEqual([]);
  });

  test('without its token the coordinator answers nobody', () => {
    const { MILLRACE_TOKEN: _, ...without } = clientEnv;
    expect(() => run([join(root, 'dist/cli/main.js'), 'list'], without)).toThrow(/MILLRACE_TOKEN/);
  });

  test('a killed worker is gone until it is brought back', () => {
    const [victim] = containers('worker');
    const name = victim?.Name.replace('/', '') ?? '';
    expect(cluster('kill-worker', name)).toContain(`killed ${name}`);
    expect(containers('worker')).toHaveLength(1);
    expect(() => cluster('kill-worker', name)).toThrow(/no running worker/);
    cluster('restart', 'worker');
    expect(containers('worker')).toHaveLength(2);
  });

  test('status shows the containers and the workers', () => {
    const status = cluster('status');
    expect(status).toMatch(/minio.*healthy/);
    expect(status).toMatch(/coordinator.*healthy/);
  });
});

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const done = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...dockerEnvironment(process.env), ...env },
    timeout: programTimeoutMs,
    killSignal: 'SIGKILL',
  });
  if (done.status === 0) return done.stdout;
  throw new Error(
    `${args.join(' ')} ended with ${done.status ?? done.signal}:\n${done.stdout}${done.stderr}`,
  );
}
