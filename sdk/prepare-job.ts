/** From a job, or the path of its file, to what is sent: the bundle and the checked spec. */
import { fileURLToPath } from 'node:url';
import { MillraceError } from '../lib/errors.ts';
import type { SubmittedSpec } from '../lib/job-spec.ts';
import { isUserJob } from '../lib/user-job.ts';
import { type Bundle, bundleJob } from './bundle.ts';
import type { Job } from './job-types.ts';
import { compileJobSpec, type SubmitOptions } from './submit-options.ts';

export interface PreparedJob {
  readonly bundle: Bundle;
  readonly spec: SubmittedSpec;
}

/**
 * Throws `job-file` for a file that cannot be bundled or loaded, `invalid-argument` for options that make no job. Options that are not known yet are awaited
 * while the job is bundled.
 */
export async function prepareJob(
  job: Job | string,
  options: SubmitOptions | Promise<SubmitOptions>,
): Promise<PreparedJob> {
  const [bundle, known] = await Promise.all([bundleJob(jobFileOf(job)), options]);
  return { bundle, spec: compileJobSpec(bundle, known) };
}

/** The path of the file that defines the job. */
export function jobFileOf(job: Job | string): string {
  if (typeof job === 'string') return job;
  if (!isUserJob(job)) {
    throw new MillraceError(
      'invalid-argument',
      'expected a job that defineJob returned, or the path of a job file',
    );
  }
  if (!job.source.startsWith('file:')) {
    throw new MillraceError(
      'invalid-argument',
      `job '${job.name}' was defined in ${job.source}, which is no file: define it as defineJob(import.meta, …) in a file of its own`,
    );
  }
  return fileURLToPath(job.source);
}
