/** From a submission to a running job: the checks that need no worker, the job files, the event. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { MillraceError } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoints.ts';
import { type JobId, toJobId } from '../lib/ids.ts';
import type { JobSpec } from '../lib/job-spec.ts';
import { checkLimit, limits } from '../lib/limits.ts';
import type { Stores } from '../lib/store/resolve.ts';
import { formatUri, parseUri } from '../lib/store/uri.ts';
import { type AllowedUris, checkUris } from './allowed-uris.ts';
import type { Happening } from './loop.ts';
import { checkOutput } from './output-folder.ts';
import type { Submission } from './read-submission.ts';

export interface SubmitPorts {
  readonly clock: Clock;
  readonly stores: Stores;
  /** Of the coordinator's store, with a trailing slash: job files go to `jobs/<id>/` below it. */
  readonly storeUri: string;
  /** Output folders of jobs that have not ended: two jobs must not write to one. */
  readonly outputsInUse: Set<string>;
  readonly allowedUris: AllowedUris;
  dispatch(happening: Happening): void;
}

/** Resolves with the id when the job is on its way. Throws `output-exists` and store errors; no job file is left then. */
export async function submitJob(submission: Submission, ports: SubmitPorts): Promise<JobId> {
  const { bundleSha256, ...submitted } = submission.spec;
  // One spelling for one place: what is in use is looked up by it.
  const asked = { ...submitted, outputUri: formatUri(parseUri(submitted.outputUri)) };
  checkUris(asked, ports.allowedUris);
  checkLimit(
    'the number of running jobs',
    ports.outputsInUse.size + 1,
    limits.activeJobsMax,
    'wait until some have ended',
  );
  if (ports.outputsInUse.has(asked.outputUri)) {
    throw new MillraceError(
      'output-exists',
      `a running job writes to ${asked.outputUri}; choose another output`,
    );
  }
  ports.outputsInUse.add(asked.outputUri);
  try {
    const partOffset = await checkOutput(ports.stores, asked.outputUri, asked.ifExists);
    const jobId = toJobId(randomUUID());
    const folder = `${ports.storeUri}jobs/${jobId}/`;
    const spec: JobSpec = {
      ...asked,
      jobId,
      partOffset,
      submittedAtMs: ports.clock.now(),
      bundle: {
        uri: `${folder}bundle-${bundleSha256}.mjs`,
        sha256: bundleSha256,
        bytes: submission.bundle.length,
      },
    };
    failpoint('submit.checked');
    await putAll(ports.stores, [
      [spec.bundle.uri, submission.bundle],
      [`${folder}spec.json`, Buffer.from(`${JSON.stringify(spec, null, 2)}\n`)],
    ]);
    failpoint('submit.files-put');
    ports.dispatch({ type: 'job-submitted', spec });
    return jobId;
  } catch (error) {
    ports.outputsInUse.delete(asked.outputUri);
    throw error;
  }
}

/** All, or as good as none: a store that went away in between may keep some. */
async function putAll(stores: Stores, files: readonly [uri: string, bytes: Uint8Array][]): Promise<void> {
  try {
    for (const [uri, bytes] of files) {
      const { store, key } = stores.locate(uri);
      await store.putIfAbsent(key, bytes);
      failpoint('submit.file-put');
    }
  } catch (error) {
    for (const [uri] of files) {
      const { store, key } = stores.locate(uri);
      // What the put failed with says more.
      await store.remove(key).catch(() => undefined);
    }
    throw error;
  }
}
