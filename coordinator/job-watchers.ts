/** Who wants to hear that a job has changed. */
import type { JobId } from '../lib/ids.ts';

export class JobWatchers {
  readonly #watchers = new Map<JobId, Set<() => void>>();

  /** Calls `changed` after each change until the returned function is called. */
  watch(jobId: JobId, changed: () => void): () => void {
    const watchers = this.#watchers.get(jobId) ?? new Set();
    this.#watchers.set(jobId, watchers);
    watchers.add(changed);
    return () => {
      watchers.delete(changed);
      if (watchers.size === 0) this.#watchers.delete(jobId);
    };
  }

  notify(jobId: JobId): void {
    for (const changed of [...(this.#watchers.get(jobId) ?? [])]) changed();
  }
}
