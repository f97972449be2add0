/**
 * Who may speak for a worker: the process that said hello under its id, and where certificates are demanded, only with the same one.
 * Without this anybody with a worker's credentials could take over another worker's stream, or have it given up.
 */
import { MillraceError } from '../../lib/errors.ts';
import type { WorkerId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';

export interface Owner {
  /** Of its certificate; empty without one. */
  readonly fingerprint: string;
  readonly pid: number;
}

export class WorkerOwners {
  /** Oldest hello first. */
  readonly #owners = new Map<WorkerId, Owner>();
  readonly #isLive: (workerId: WorkerId) => boolean;

  /** `isLive`: that worker has a stream. */
  constructor(isLive: (workerId: WorkerId) => boolean) {
    this.#isLive = isLive;
  }

  /** Throws `permission-denied` when the id is another's. */
  claim(workerId: WorkerId, owner: Owner): void {
    const known = this.#owners.get(workerId);
    if (known && known.fingerprint !== owner.fingerprint) {
      throw new MillraceError('permission-denied', `worker ${workerId} joined with another certificate`);
    }
    if (known && known.pid !== owner.pid && this.#isLive(workerId)) {
      throw new MillraceError(
        'permission-denied',
        `worker ${workerId} is connected already, as process ${known.pid} of its host`,
      );
    }
    this.#owners.delete(workerId);
    this.#owners.set(workerId, owner);
    if (this.#owners.size > limits.workersRememberedMax) this.#forgetOldest();
  }

  /** Never one that is connected: whoever floods this table with new workers must not free the id of another. */
  #forgetOldest(): void {
    for (const workerId of this.#owners.keys()) {
      if (this.#isLive(workerId)) continue;
      this.#owners.delete(workerId);
      return;
    }
  }

  /** Throws `permission-denied` for workers that joined with another certificate than `owner`: they are not its to replace. */
  checkReplaces(replaces: readonly WorkerId[], owner: Owner): void {
    const foreign = replaces.find((id) => {
      const known = this.#owners.get(id);
      return known !== undefined && known.fingerprint !== owner.fingerprint;
    });
    if (foreign === undefined) return;
    throw new MillraceError(
      'permission-denied',
      `worker ${foreign} joined with another certificate: its scratch folder (--dir) is not this worker's to take over`,
    );
  }
}
