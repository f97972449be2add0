/** What a line of a log is about: the same fields, and the same names in them, in every program. */
import { type AttemptId, formatTask, type JobId, type WorkerId } from './ids.ts';

export interface LogSubject {
  readonly job?: JobId;
  /** `m3`. */
  readonly task?: string;
  /** The number of the attempt. */
  readonly attempt?: number;
  readonly worker?: WorkerId;
}

export function aboutAttempt(id: AttemptId): LogSubject {
  return { job: id.jobId, task: formatTask(id), attempt: id.attempt };
}
