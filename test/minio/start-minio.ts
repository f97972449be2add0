/**
 * A real MinIO for one test file: its own process, folder, ports and root credentials, or buckets of its own on the endpoint that
 * `MILLRACE_TEST_S3` names. Ends with `Symbol.asyncDispose`, and with the test process at the latest.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { environmentS3Access, type S3Access } from '../../lib/store/s3/s3-access.ts';
import { findMinio } from './find-minio.ts';

/** Somebody else may take a free port before MinIO binds it. */
const startTriesMax = 5;
const readyTimeoutMs = 60_000;

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface Server {
  readonly endpoint: string;
  readonly consoleEndpoint: string | undefined;
  readonly pid: number | undefined;
  readonly credentials: S3Credentials;
  readonly stop: () => Promise<void>;
}

export class Minio implements AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  /** Of the web console; undefined for an endpoint that was running already. */
  readonly consoleEndpoint: string | undefined;
  /** Of the process; undefined for an endpoint that was running already. */
  readonly pid: number | undefined;
  /** The root user's, who may do everything. */
  readonly credentials: S3Credentials;
  /** As root, straight to MinIO: for making and looking, not for what is under test. */
  readonly client: S3Client;
  readonly #stop: () => Promise<void>;

  constructor({ endpoint, consoleEndpoint, pid, credentials, stop }: Server) {
    this.endpoint = endpoint;
    this.consoleEndpoint = consoleEndpoint;
    this.pid = pid;
    this.credentials = credentials;
    this.#stop = stop;
    this.client = new S3Client({
      endpoint,
      credentials,
      region: 'us-east-1',
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  /** What a process needs to use it, as `createStores` and the AWS SDK read it. `endpoint`: that of a proxy before it. */
  env(endpoint = this.endpoint): Record<string, string> {
    return {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ACCESS_KEY_ID: this.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: this.credentials.secretAccessKey,
      AWS_REGION: 'us-east-1',
    };
  }

  /** The same for `createStores` in this process. */
  access(endpoint = this.endpoint): S3Access {
    return environmentS3Access(this.env(endpoint));
  }

  /** A fresh, empty bucket; returns its name. */
  async makeBucket(label = 'test'): Promise<string> {
    const bucket = `millrace-${label}-${randomBytes(6).toString('hex')}`;
    await this.client.send(new CreateBucketCommand({ Bucket: bucket }));
    return bucket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.destroy();
    await this.#stop();
  }
}

/** Throws when there is none (see find-minio.ts). `env` goes to the process beside what it needs. */
export async function startMinio(env: Readonly<Record<string, string>> = {}): Promise<Minio> {
  const source = await findMinio();
  if (!source) throw new Error('there is no MinIO for this test');
  if (source.kind === 'endpoint') return new Minio(endpointOf(source.url));
  for (let tries = 1; ; tries++) {
    const server = await startProcess(source.path, env);
    if (typeof server !== 'string') return new Minio(server);
    if (tries >= startTriesMax) throw new Error(`MinIO did not start ${tries} times:\n${server}`);
  }
}

function endpointOf(url: string): Server {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
  if (!accessKeyId || !secretAccessKey) {
    throw new Error('MILLRACE_TEST_S3 needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY beside it');
  }
  return {
    endpoint: url.replace(/\/$/, ''),
    consoleEndpoint: undefined,
    pid: undefined,
    credentials: { accessKeyId, secretAccessKey },
    stop: async () => undefined,
  };
}

/** The server, or what it printed when it ended before it was ready. */
async function startProcess(path: string, env: Readonly<Record<string, string>>): Promise<Server | string> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-minio-'));
  const [port, consolePort] = await Promise.all([freePort(), freePort()]);
  const credentials = {
    accessKeyId: `root-${randomBytes(6).toString('hex')}`,
    secretAccessKey: randomBytes(20).toString('hex'),
  };
  const endpoint = `http://127.0.0.1:${port}`;
  const addresses = ['--address', `127.0.0.1:${port}`, '--console-address', `127.0.0.1:${consolePort}`];
  const child = spawn(path, ['server', folder, ...addresses], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      MINIO_ROOT_USER: credentials.accessKeyId,
      MINIO_ROOT_PASSWORD: credentials.secretAccessKey,
      MINIO_API_STALE_UPLOADS_EXPIRY: '720h',
      MINIO_UPDATE: 'off',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (printed += text));
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  const stop = async () => {
    await end(child);
    process.removeListener('exit', killAtExit);
    rmSync(folder, { recursive: true, force: true });
  };
  if (await isReady(child, `${endpoint}/minio/health/ready`)) {
    const consoleEndpoint = `http://127.0.0.1:${consolePort}`;
    return { endpoint, consoleEndpoint, pid: child.pid, credentials, stop };
  }
  await stop();
  return printed;
}

/** Asks until it says so; false when the process ends, or when it takes too long. */
async function isReady(child: ChildProcess, url: string): Promise<boolean> {
  const deadlineMs = performance.now() + readyTimeoutMs;
  while (child.exitCode === null && child.signalCode === null && performance.now() < deadlineMs) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
