/** What user code logged, bounded per job and in all: the oldest lines go and a line says so. Followers hear new lines as they come. */
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

/** What a line takes beside its text. */
const entryBytes = 64;

export class JobLogs {
  /** In order of their first lines. */
  readonly #logs = new Map<JobId, JobLog>();
  readonly #isKnown: (jobId: JobId) => boolean;
  #bytes = 0;

  /** `isKnown`: the job can still be asked for. */
  constructor(isKnown: (jobId: JobId) => boolean) {
    this.#isKnown = isKnown;
  }

  append(jobId: JobId, task: TaskRef & { attempt: number }, atMs: number, text: string): void {
    const log = this.#of(jobId);
    const entry = { task: formatTask(task), attempt: task.attempt, atMs, text };
    log.entries.push(entry);
    log.bytes += sizeOf(entry);
    this.#bytes += sizeOf(entry);
    while (log.bytes > limits.logBytesPerJobMax && log.entries.length > 1) this.#dropOldest(log);
    for (const other of this.#logs.values()) {
      if (this.#bytes <= limits.logBytesMax) break;
      while (other !== log && other.entries.length > 0) this.#dropOldest(other);
    }
    for (const follower of log.followers) follower(entry);
  }

  /** All lines kept, oldest first; of one task when `task` is given (`m3`). */
  read(jobId: JobId, task: string): LogEntry[] {
    const log = this.#logs.get(jobId);
    if (!log) return [];
    const kept = log.entries.filter((entry) => task === '' || entry.task === task);
    if (!log.dropped) return kept;
    const note = `older lines were dropped: a job keeps ${limits.logBytesPerJobMax} bytes of log, all together ${limits.logBytesMax}`;
    return [{ task: '', attempt: 0, atMs: log.entries[0]?.atMs ?? 0, text: note }, ...kept];
  }

  follow(jobId: JobId, follower: (entry: LogEntry) => void): () => void {
    const { followers } = this.#of(jobId);
    followers.add(follower);
    return () => followers.delete(follower);
  }

  /** An eighth at once: to take one line from the front of very many costs as much as to take them all. */
  #dropOldest(log: JobLog): void {
    for (const entry of log.entries.splice(0, Math.ceil(log.entries.length / 8))) {
      log.bytes -= sizeOf(entry);
      this.#bytes -= sizeOf(entry);
    }
    log.dropped = true;
  }

  #of(jobId: JobId): JobLog {
    let log = this.#logs.get(jobId);
    if (!log) {
      this.#forgetUnknown();
      log = { entries: [], bytes: 0, dropped: false, followers: new Set() };
      this.#logs.set(jobId, log);
    }
    return log;
  }

  #forgetUnknown(): void {
    for (const [jobId, log] of this.#logs) {
      if (this.#isKnown(jobId)) continue;
      this.#bytes -= log.bytes;
      this.#logs.delete(jobId);
    }
  }
}

function sizeOf({ text }: LogEntry): number {
  return text.length + entryBytes;
}
