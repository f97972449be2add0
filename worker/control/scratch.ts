/**
 * The worker's folder on local disk: `<dir>/<workerId>/<jobId>/<attempt>/`, and the job's bundle beside them. It is removed at close;
 * what a dead worker left under the same `dir` is taken over at the next start (inherit-scratch.ts).
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import { type AttemptId, attemptKey, formatAttempt, type JobId, type WorkerId } from '../../lib/ids.ts';
import { isGone, isProcessId, type ProcessId, thisProcess } from '../../lib/process-id.ts';
import { notWritable } from './disk-space.ts';
import type { ScratchAccount } from './scratch-account.ts';
import type { ScratchBudget } from './scratch-budget.ts';

const ownerFile = 'owner.json';

export class Scratch {
  /** `<dir>/<workerId>`. */
  readonly path: string;
  readonly #budget: ScratchBudget;
  /** Of the attempts that have files here. */
  readonly #accounts = new Map<string, ScratchAccount>();

  /** Throws `permission-denied` or `no-space` naming the folder and `--dir`. */
  constructor(budget: ScratchBudget, workerId: WorkerId) {
    const { directory } = budget;
    this.#budget = budget;
    this.path = join(directory, workerId);
    try {
      mkdirSync(this.path, { recursive: true });
      writeFileSync(join(this.path, ownerFile), JSON.stringify(thisProcess));
    } catch (thrown) {
      throw notWritable(directory, thrown);
    }
  }

  /** Of everything of a job that lies here; made with the folder of its first attempt. */
  jobPath(jobId: JobId): string {
    return join(this.path, jobId);
  }

  /** Where an attempt's folder is, or would be. */
  attemptPath(attempt: AttemptId): string {
    return join(this.jobPath(attempt.jobId), `${formatAttempt(attempt)}.e${attempt.epoch}`);
  }

  /** Makes the folder of an attempt and opens its account. */
  makeAttempt(attempt: AttemptId): AttemptScratch {
    const path = this.attemptPath(attempt);
    mkdirSync(path, { recursive: true });
    return { path, account: this.#openAccount(attempt) };
  }

  /** The attempt is over, its output stays and counts. */
  keepAttempt(attempt: AttemptId): void {
    this.#accounts.get(attemptKey(attempt))?.keep();
  }

  /** Its output of so many bytes is here already. */
  adoptAttempt(attempt: AttemptId, bytes: number): void {
    this.#openAccount(attempt).keep(bytes);
  }

  async removeAttempt(attempt: AttemptId): Promise<void> {
    failpoint('scratch.remove-attempt');
    await rm(this.attemptPath(attempt), { recursive: true, force: true });
    this.#closeAccounts((key) => key === attemptKey(attempt));
  }

  async removeJob(jobId: JobId): Promise<void> {
    failpoint('scratch.remove-job');
    await rm(this.jobPath(jobId), { recursive: true, force: true });
    this.#closeAccounts((_key, owner) => owner === jobId);
  }

  async removeAll(): Promise<void> {
    failpoint('scratch.remove-all');
    await rm(this.path, { recursive: true, force: true });
    this.#closeAccounts(() => true);
  }

  #openAccount(attempt: AttemptId): ScratchAccount {
    const account = this.#budget.openAccount(attempt.jobId);
    this.#accounts.set(attemptKey(attempt), account);
    return account;
  }

  #closeAccounts(isGone: (key: string, owner: JobId) => boolean): void {
    for (const [key, account] of this.#accounts) {
      if (!isGone(key, account.jobId)) continue;
      this.#accounts.delete(key);
      account.close();
    }
  }
}

export interface AttemptScratch {
  readonly path: string;
  readonly account: ScratchAccount;
}

/** Names of the folders in `directory` whose workers, of this host, run no more. In doubt a folder is not among them. */
export function listDeadWorkers(directory: string): string[] {
  return listFolders(directory).filter((name) => {
    const owner = readOwner(join(directory, name, ownerFile));
    return owner !== undefined && isGone(owner);
  });
}

function listFolders(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new MillraceError(
      'permission-denied',
      `the scratch folder ${directory} cannot be read; choose another with --dir`,
      {
        cause: thrown,
      },
    );
  }
}

function readOwner(path: string): ProcessId | undefined {
  try {
    const owner: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof owner === 'object' && owner !== null && isProcessId(owner) ? owner : undefined;
  } catch {
    // Not a worker's folder, or one that is just being made: not ours to judge.
    return undefined;
  }
}
