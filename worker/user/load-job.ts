/** Brings a job's bundle from the store into this thread: checked against its hash before anything runs, kept on disk by that hash. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MillraceError } from '../../lib/errors.ts';
import type { JobSpec } from '../../lib/job-spec.ts';
import { checkLimit, limits } from '../../lib/limits.ts';
import type { Stores } from '../../lib/store/resolve.ts';
import { isUserJob, type UserJob } from '../../lib/user-job.ts';
import { TaskFailure, userFailure } from './task-failure.ts';

/**
 * The job of a spec. `directory` is a local folder for bundles; the module is imported once per thread, by its path. Throws
 * `corrupt` when the stored bytes are not those that were submitted, and a `user-error` (where: `load`) when the module throws.
 */
export async function loadJob(spec: JobSpec, stores: Stores, directory: string): Promise<UserJob> {
  const path = join(directory, `${spec.bundle.sha256}.mjs`);
  if (!holdsBundle(path, spec)) await fetchBundle(spec, stores, path);
  let exported: { default?: unknown };
  try {
    exported = (await import(pathToFileURL(path).href)) as { default?: unknown };
  } catch (thrown) {
    throw new TaskFailure(userFailure(thrown, 'load', ''), { cause: thrown });
  }
  if (isUserJob(exported.default)) return exported.default;
  const error = new MillraceError(
    'job-file',
    `the bundle of job ${JSON.stringify(spec.name)} does not export a job by default: use export default defineJob(import.meta, { … }), and the same version of millrace as this worker`,
  );
  throw new TaskFailure(userFailure(error, 'load', ''), { cause: error });
}

/** Checked each time a thread loads it, so that a changed or half-written file never runs. */
function holdsBundle(path: string, spec: JobSpec): boolean {
  try {
    return sha256(readFileSync(path)) === spec.bundle.sha256;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw thrown;
  }
}

async function fetchBundle(spec: JobSpec, stores: Stores, path: string): Promise<void> {
  checkLimit(
    'the bundle, in bytes,',
    spec.bundle.bytes,
    limits.bundleBytesMax,
    'import less in the job file',
  );
  const { store, key } = stores.locate(spec.bundle.uri);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of store.read(key)) {
    bytes += chunk.length;
    checkLimit('the bundle, in bytes,', bytes, limits.bundleBytesMax, 'import less in the job file');
    chunks.push(chunk);
  }
  const bundle = Buffer.concat(chunks);
  const found = sha256(bundle);
  if (found !== spec.bundle.sha256) {
    throw new MillraceError(
      'corrupt',
      `the bundle at ${spec.bundle.uri} has sha256 ${found}, not ${spec.bundle.sha256}; it will not be run`,
    );
  }
  mkdirSync(join(path, '..'), { recursive: true });
  // The threads of a worker fetch it at the same moment.
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    writeFileSync(temporary, bundle);
    renameSync(temporary, path);
  } catch (thrown) {
    rmSync(temporary, { force: true });
    throw thrown;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
