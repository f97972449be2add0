/** What user code logged, per job, bounded: the oldest lines go first and a line says so. Followers hear new lines as they come. */
import type { JobId, TaskRef } from '../lib/ids.ts';
import { formatTask } from '../lib/ids.ts';
import { limits } from '../lib/limits.ts';

export interface LogEntry {
  readonly task: string;
  readonly attempt: number;
  readonly atMs: number;
  readonly text: string;
}

interface JobLog {
  entries: LogEntry[];
  bytes: number;
  dropped: boolean;
  readonly followers: Set<(entry: LogEntry) => void>;
}

export class JobLogs {
  readonly #logs = new Map<JobId, JobLog>();

  append(jobId: JobId, task: TaskRef & { attempt: number }, atMs: number, text: string): void {
    const log = this.#of(jobId);
    const entry = { task: formatTask(task), attempt: task.attempt, atMs, text };
    log.entries.push(entry);
    log.bytes += text.length;
    while (log.bytes > limits.logBytesPerJobMax && log.entries.length > 1) {
      log.bytes -= log.entries.shift()!.text.length;
      log.dropped = true;
    }
    for (const follower of log.followers) follower(entry);
  }

  /** All lines kept, oldest first; of one task when `task` is given (`m3`). */
  read(jobId: JobId, task: string): LogEntry[] {
    const log = this.#logs.get(jobId);
    if (!log) return [];
    const kept = log.entries.filter((entry) => task === '' || entry.task === task);
    if (!log.dropped) return kept;
    const note = `older lines were dropped: a job keeps ${limits.logBytesPerJobMax} bytes of log`;
    return [{ task: '', attempt: 0, atMs: log.entries[0]?.atMs ?? 0, text: note }, ...kept];
  }

  follow(jobId: JobId, follower: (entry: LogEntry) => void): () => void {
    const { followers } = this.#of(jobId);
    followers.add(follower);
    return () => followers.delete(follower);
  }

  #of(jobId: JobId): JobLog {
    let log = this.#logs.get(jobId);
    if (!log) {
      log = { entries: [], bytes: 0, dropped: false, followers: new Set() };
      this.#logs.set(jobId, log);
    }
    return log;
  }
}
