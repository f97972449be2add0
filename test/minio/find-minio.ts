/**
 * Where the tests get a real MinIO from. In this order: an endpoint that is running already (`MILLRACE_TEST_S3`, with the
 * credentials in AWS_*), `minio` on the PATH, a binary in the cache folder, one built there from the pinned source, which takes Go
 * and about five minutes. A Docker image is not asked for: a process is enough for the store, and the container tests have their own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

/** The last commit upstream: newer than the last release, and the only one with all fixes of conditional writes. */
const minioModule = 'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c';

export type MinioSource =
  | { readonly kind: 'endpoint'; readonly url: string }
  | { readonly kind: 'binary'; readonly path: string };

const cachedBinary = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace/minio/minio');

/** Undefined where there is no MinIO and no Go to build one; with `CI=true` that throws. Builds it when it must. */
export async function findMinio(): Promise<MinioSource | undefined> {
  const url = process.env.MILLRACE_TEST_S3;
  if (url) return { kind: 'endpoint', url };
  const found = findOnPath('minio') ?? (isExecutable(cachedBinary) ? cachedBinary : undefined);
  if (found) return { kind: 'binary', path: found };
  if (findOnPath('go') && (await buildOnce())) return { kind: 'binary', path: cachedBinary };
  const why = `there is no MinIO: set MILLRACE_TEST_S3 to an endpoint, or install Go and run: go install ${minioModule}`;
  if (process.env.CI === 'true') throw new Error(`${why} (with CI=true its tests must run)`);
  console.error(`SKIPPED: the tests that need MinIO, because ${why}`);
  return undefined;
}

function findOnPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** One of the test processes builds, the others wait for it. Whoever was killed while building holds nobody up. */
async function buildOnce(): Promise<boolean> {
  mkdirSync(dirname(cachedBinary), { recursive: true });
  const lock = `${cachedBinary}.building`;
  while (!takeLock(lock)) {
    if (isBuilding(lock)) await new Promise((resolve) => setTimeout(resolve, 500));
    else rmSync(lock, { force: true });
  }
  try {
    return isExecutable(cachedBinary) || (await build());
  } finally {
    rmSync(lock, { force: true });
  }
}

function takeLock(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function isBuilding(lock: string): boolean {
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0);
    return true;
  } catch {
    return false;
  }
}

/** Renamed into its place when it is whole. */
async function build(): Promise<boolean> {
  console.error(`building MinIO once from ${minioModule} into ${cachedBinary}: about five minutes`);
  const folder = mkdtempSync(join(dirname(cachedBinary), 'building-'));
  try {
    const go = spawn('go', ['install', minioModule], {
      env: { ...process.env, CGO_ENABLED: '0', GOBIN: folder },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code] = await once(go, 'close');
    if (code !== 0) return false;
    renameSync(join(folder, 'minio'), cachedBinary);
    return true;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
