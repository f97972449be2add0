/**
 * Who may write how much to the scratch disk of this worker. Over the limit comes patience first: fetches and the threads of running
 * attempts wait while another attempt may free space, new maps are held back. When nothing here will free any, the waiter that holds
 * the most is refused with `no-space`: its files make room for the rest, so there is no deadlock.
 */
import type { Clock } from '../../lib/clock.ts';
import { MillraceError } from '../../lib/errors.ts';
import type { JobId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import { noSpace, ScratchCells } from '../shuffle/scratch-space.ts';
import { type DiskSpace, makeScratchFolder, readDiskSpace, reserveBytesOf } from './disk-space.ts';
import { ScratchAccount } from './scratch-account.ts';

export interface ScratchBudgetOptions {
  /** `--dir`. */
  readonly directory: string;
  /** `--scratch-limit`; undefined: what the disk has free, less a reserve for others. */
  readonly limitBytes: number | undefined;
  readonly clock: Clock;
  /** For tests. */
  readonly readDisk?: (directory: string) => Promise<DiskSpace>;
}

/** Of the main thread. */
interface Waiter {
  readonly account: ScratchAccount;
  readonly bytes: number;
  settle(error?: MillraceError): void;
}

/** A waiter, or an account whose thread stands still. */
interface Waiting {
  readonly account: ScratchAccount;
  readonly bytes: number;
}

export class ScratchBudget {
  readonly directory: string;
  readonly #cells = new ScratchCells();
  readonly #options: ScratchBudgetOptions;
  /** Of attempts that are not over. */
  readonly #accounts = new Set<ScratchAccount>();
  readonly #kept = new Set<ScratchAccount>();
  /** First come, first served. Threads that wait are seen by their accounts. */
  #waiters: Waiter[] = [];
  /** New maps, held back. */
  #held: { readonly account: ScratchAccount; admit(): void }[] = [];
  /** By the disk at the start. */
  #reserveBytes: number | undefined;
  #refreshing: Promise<void> | undefined;
  #isLooking = false;
  /** Runs while there is hope, but nothing of this worker's own that would fulfil it. */
  #patience: { isOver: boolean; readonly cancel: () => void } | undefined;
  #isClosed = false;

  private constructor(options: ScratchBudgetOptions) {
    this.directory = options.directory;
    this.#options = options;
  }

  /** Makes the folder and reads its disk. Throws `permission-denied` or `no-space` naming the folder and `--dir`. */
  static async open(options: ScratchBudgetOptions): Promise<ScratchBudget> {
    const budget = new ScratchBudget(options);
    await makeScratchFolder(options.directory);
    await budget.refresh();
    void budget.#watch();
    return budget;
  }

  get usedBytes(): number {
    return this.#cells.usedBytes;
  }

  get limitBytes(): number {
    return this.#cells.limitBytes;
  }

  /** Others write to the disk as well: what is free is read again, and the limit follows. Throws when the disk cannot be asked. */
  refresh(): Promise<void> {
    // A disk that hangs is asked once.
    this.#refreshing ??= this.#readLimit().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  openAccount(jobId: JobId): ScratchAccount {
    const account = new ScratchAccount(jobId, this, this.#cells);
    this.#accounts.add(account);
    return account;
  }

  /** Ends the watch; accounts may still be closed. */
  close(): void {
    this.#isClosed = true;
    this.#endPatience();
    this.#cells.changed();
  }

  // For accounts.

  async untilRoom(account: ScratchAccount, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const admitted = Promise.withResolvers<void>();
    const one = { account, admit: admitted.resolve };
    const onAbort = () => {
      this.#held = this.#held.filter((other) => other !== one);
      admitted.reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort);
    this.#held.push(one);
    this.settle();
    try {
      await admitted.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async take(account: ScratchAccount, bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#waiters.length === 0 && this.#cells.tryTake(account.cells, bytes)) return;
    const taken = Promise.withResolvers<void>();
    const settle = (error?: MillraceError) => {
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
      if (error) taken.reject(error);
      else taken.resolve();
    };
    const waiter: Waiter = { account, bytes, settle };
    const onAbort = () => {
      settle(MillraceError.from(signal.reason, 'cancelled'));
      // Who came later may fit.
      this.settle();
    };
    signal.addEventListener('abort', onAbort);
    this.#waiters.push(waiter);
    this.settle();
    try {
      await taken.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  keep(account: ScratchAccount): void {
    this.#accounts.delete(account);
    this.#kept.add(account);
    this.settle();
  }

  forget(account: ScratchAccount): void {
    this.#accounts.delete(account);
    this.#kept.delete(account);
    this.settle();
  }

  /** Lets through who fits; refuses one when nobody does and nothing will free space. Called after whatever may matter. */
  settle(): void {
    this.#grant();
    this.#admit();
    if (this.#victim()) void this.#refuseAfterLook();
  }

  #grant(): void {
    for (let first = this.#waiters[0]; first; first = this.#waiters[0]) {
      if (!this.#cells.tryTake(first.account.cells, first.bytes)) return;
      first.settle();
    }
  }

  #admit(): void {
    while (this.#held.length > 0 && (this.#isBelowHighWater() || !this.#isAnyBusy())) {
      const next = this.#held.shift()!;
      next.account.phase = 'running';
      next.admit();
    }
  }

  #isBelowHighWater(): boolean {
    return this.usedBytes <= this.limitBytes * limits.scratchHighWaterFraction;
  }

  /** Who has to go, if anybody: who can never have what it wants, or, when waiting is of no use, who holds the most. */
  #victim(): ScratchAccount | undefined {
    const waiting = this.#waiting();
    const impossible = waiting.find(({ bytes }) => bytes > this.limitBytes);
    if (impossible) return impossible.account;
    const isHopeless = waiting.length > 0 && !this.#isAnyBusy();
    if (!isHopeless) this.#endPatience();
    if (!isHopeless || (this.#mayOthersFree(waiting) && !this.#isPatienceOver())) return undefined;
    const accounts = waiting.map(({ account }) => account);
    return accounts.reduce((most, other) => (other.heldBytes > most.heldBytes ? other : most));
  }

  #waiting(): Waiting[] {
    const threads = [...this.#accounts].filter((account) => isAtWork(account) && this.#stands(account));
    return [
      ...threads.map((account) => ({ account, bytes: account.cells.wantedBytes })),
      ...this.#waiters.filter(({ account }) => account.phase !== 'ending'),
    ];
  }

  /** Whether an attempt works on, and so may free space at its end. */
  #isAnyBusy(): boolean {
    return [...this.#accounts].some((account) => isAtWork(account) && !this.#stands(account));
  }

  /** Its thread stands still, and there is still no room for it. */
  #stands({ cells }: ScratchAccount): boolean {
    return cells.isWaiting && this.usedBytes + cells.wantedBytes > this.limitBytes;
  }

  /**
   * Whether what happens elsewhere may make room: another job whose output is here ends, or a reduce that holds segments gets those it
   * waits for. Not so for the job of a map that stands still here: its reduces wait for that map.
   */
  #mayOthersFree(waiting: readonly Waiting[]): boolean {
    const stuck = new Set(
      waiting.filter(({ account }) => account.cells.isWaiting).map(({ account }) => account.jobId),
    );
    const waitingJobs = new Set(waiting.map(({ account }) => account.jobId));
    const isFetching = (account: ScratchAccount) =>
      account.phase === 'fetching' &&
      account.heldBytes > 0 &&
      !stuck.has(account.jobId) &&
      !waiting.some((one) => one.account === account);
    return (
      [...this.#kept].some(({ jobId }) => !waitingJobs.has(jobId)) || [...this.#accounts].some(isFetching)
    );
  }

  #isPatienceOver(): boolean {
    if (!this.#patience) {
      const cancel = this.#options.clock.after(limits.scratchWaitMsMax, () => {
        patience.isOver = true;
        this.settle();
      });
      const patience = { isOver: false, cancel };
      this.#patience = patience;
    }
    return this.#patience.isOver;
  }

  #endPatience(): void {
    this.#patience?.cancel();
    this.#patience = undefined;
  }

  /** The disk may have more room than when it was read last. */
  async #refuseAfterLook(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    // A disk that does not answer leaves the limit as it is; heartbeats report that.
    await this.refresh().catch(() => undefined);
    this.#isLooking = false;
    this.#grant();
    this.#admit();
    const victim = this.#victim();
    if (victim) this.#refuse(victim);
  }

  #refuse(account: ScratchAccount): void {
    if (account.cells.isWaiting) {
      account.cells.refuse();
      this.#cells.wakeThreads();
      return;
    }
    account.phase = 'ending';
    for (const waiter of this.#waiters.filter((one) => one.account === account)) {
      waiter.settle(noSpace(this.directory, waiter.bytes, this.#cells));
    }
    // Whom it kept waiting may fit now.
    this.settle();
  }

  async #readLimit(): Promise<void> {
    const { directory, limitBytes, readDisk = readDiskSpace } = this.#options;
    const disk = await readDisk(directory);
    this.#reserveBytes ??= limitBytes === undefined ? reserveBytesOf(disk) : 0;
    const roomBytes = Math.max(0, this.usedBytes + disk.freeBytes - this.#reserveBytes);
    this.#cells.limitBytes = Math.min(limitBytes ?? Number.MAX_SAFE_INTEGER, roomBytes);
  }

  async #watch(): Promise<void> {
    while (!this.#isClosed) {
      const seen = this.#cells.changes;
      this.settle();
      await this.#cells.waitForChange(seen);
    }
  }
}

function isAtWork({ phase }: ScratchAccount): boolean {
  return phase === 'running' || phase === 'ending';
}
