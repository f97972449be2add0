import { MillraceError } from '../lib/errors.ts';

/** A mistake in a job file, found before anything runs. */
export function jobFileError(message: string, options?: { cause?: unknown }): MillraceError {
  return new MillraceError('job-file', message, options);
}
