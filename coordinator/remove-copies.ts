/**
 * Removes the copies of map outputs of jobs that have ended: at once, and again when nobody who did not hear of the end can still be
 * writing. Whoever leads next does it once more for the jobs that it remembers.
 */
import pLimit from 'p-limit';
import type { Clock } from '../lib/clock.ts';
import type { JobId } from '../lib/ids.ts';
import type { JobEvent } from '../lib/job-event.ts';
import type { JobSpec } from '../lib/job-spec.ts';
import { isTerminal } from '../lib/job-view.ts';
import { limits } from '../lib/limits.ts';
import type { Log } from '../lib/log.ts';
import { copiesFolder } from '../lib/map-copy.ts';
import type { Stores } from '../lib/store/resolve.ts';

export interface CopyRemoverPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly stores: Stores;
  /** Undefined for a job that nobody remembers. */
  specOf(jobId: JobId): JobSpec | undefined;
}

export class CopyRemover {
  readonly #ports: CopyRemoverPorts;
  readonly #atOnce = pLimit(limits.copyRequestsAtOnceMax);
  readonly #removing = new Set<Promise<void>>();
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(ports: CopyRemoverPorts) {
    this.#ports = ports;
  }

  /** To be told of each event: the end of a job is among them. */
  happened(event: JobEvent): void {
    if (event.type !== 'job-state' || !isTerminal(event.state)) return;
    const spec = this.#ports.specOf(event.jobId);
    if (spec) this.ended(spec);
  }

  /** Nobody reads copies of this job any more. */
  ended(spec: JobSpec): void {
    const { durability = 'local', reducers } = spec;
    if (durability === 'local' || reducers === 0 || this.#closed) return;
    this.#remove(spec);
    const cancel = this.#ports.clock.after(limits.copiesLingerMs, () => {
      this.#waiting.delete(cancel);
      this.#remove(spec);
    });
    this.#waiting.add(cancel);
  }

  /** What was begun is done; nothing more is begun. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const cancel of this.#waiting) cancel();
    await Promise.all(this.#removing);
  }

  #remove(spec: JobSpec): void {
    const removing = this.#removeAll(spec)
      .catch((error) => {
        const uri = copiesFolder(spec);
        this.#ports.log.warn(
          { job: spec.jobId, uri, error: String(error) },
          'map copies could not be removed',
        );
      })
      .finally(() => this.#removing.delete(removing));
    this.#removing.add(removing);
  }

  /** Some at a time while they are listed: a large job has millions. */
  async #removeAll(spec: JobSpec): Promise<void> {
    const { store, key: prefix } = this.#ports.stores.locate(copiesFolder(spec));
    let keys: string[] = [];
    const removeListed = async () => {
      const ends = await Promise.allSettled(keys.map((key) => this.#atOnce(() => store.remove(key))));
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed) throw failed.reason;
      keys = [];
    };
    for await (const { key } of store.list(prefix)) {
      keys.push(key);
      if (keys.length >= limits.copiesListedMax) await removeListed();
    }
    await removeListed();
  }
}
