/**
 * Where the tests get a real MinIO from. In this order: an endpoint that is running already (`MILLRACE_TEST_S3`, with the
 * credentials in AWS_*), `minio` on the PATH, a binary in the cache folder, one built there from the pinned source, which takes Go
 * and about five minutes. A Docker image is not asked for: a process is enough for the store, and the container tests have their own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
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
  if (findOnPath('go') && (await build())) return { kind: 'binary', path: cachedBinary };
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

/** Into a folder of its own, then renamed: two test files that build at once do double work and no harm. */
async function build(): Promise<boolean> {
  console.error(`building MinIO once from ${minioModule} into ${cachedBinary}: about five minutes`);
  mkdirSync(dirname(cachedBinary), { recursive: true });
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
