/**
 * Who may write how much to the scratch disk of this worker. Over the limit comes patience first: fetches and the threads of running
 * attempts wait while another attempt may free space, new maps are held back. When nothing here can free any, the waiter that holds
 * the most is refused with `no-space`: its files make room for the rest, so there is no deadlock.
 */
import { mkdir, statfs } from 'node:fs/promises';
import type { Clock } from '../../lib/clock.ts';
import { MillraceError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { AccountCells, noSpace, ScratchCells, type ScratchShare } from '../shuffle/scratch-space.ts';

/** Of the file system that the scratch folder is on. */
export interface DiskSpace {
  readonly totalBytes: number;
  /** For this process: without what is kept for root. */
  readonly freeBytes: number;
}

export interface ScratchBudgetOptions {
  /** `--dir`. */
  readonly directory: string;
  /** `--scratch-limit`; undefined: what the disk has free, less a reserve for others. */
  readonly limitBytes: number | undefined;
  readonly clock: Clock;
  /** For tests. */
  readonly readDisk?: (directory: string) => Promise<DiskSpace>;
}

interface Waiter {
  readonly account: ScratchAccount;
  readonly bytes: number;
  settle(error?: MillraceError): void;
}

export class ScratchBudget {
  readonly directory: string;
  readonly #cells = new ScratchCells();
  readonly #options: ScratchBudgetOptions;
  readonly #accounts = new Set<ScratchAccount>();
  /** Of the main thread, first come, first served. Threads that wait are seen by their accounts. */
  #waiters: Waiter[] = [];
  /** New maps, held back. */
  #held: { readonly account: ScratchAccount; admit(): void }[] = [];
  #refreshing: Promise<void> | undefined;
  #isClosed = false;

  private constructor(options: ScratchBudgetOptions) {
    this.directory = options.directory;
    this.#options = options;
  }

  /** Makes the folder and reads its disk. Throws `permission-denied` or `no-space` naming the folder and `--dir`. */
  static async open(options: ScratchBudgetOptions): Promise<ScratchBudget> {
    const budget = new ScratchBudget(options);
    await mkdir(options.directory, { recursive: true }).catch((thrown) => {
      throw notWritable(options.directory, thrown);
    });
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

  async #readLimit(): Promise<void> {
    const { directory, limitBytes, readDisk = readFileSystem } = this.#options;
    const disk = await readDisk(directory);
    const reserve = limitBytes === undefined ? reserveOf(disk) : 0;
    const roomBytes = Math.max(0, this.usedBytes + disk.freeBytes - reserve);
    this.#cells.limitBytes = Math.min(limitBytes ?? Number.MAX_SAFE_INTEGER, roomBytes);
  }

  openAccount(): ScratchAccount {
    const account = new ScratchAccount(this, this.#cells);
    this.#accounts.add(account);
    return account;
  }

  /**
   * For a new map: resolves below the high-water mark, or when waiting would free nothing; the account is running then. Rejects with
   * the signal's reason.
   */
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

  /** Ends the watch; accounts may still be closed. */
  close(): void {
    this.#isClosed = true;
    this.#cells.changed();
  }

  /** Of an account: resolves when it has the bytes. */
  async take(account: ScratchAccount, bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (bytes > this.limitBytes) throw noSpace(this.directory, bytes, this.#cells);
    if (this.#waiters.length === 0 && this.#cells.tryTake(account.cells, bytes)) return;
    const taken = Promise.withResolvers<void>();
    const settle = (error?: MillraceError) => {
      if (!this.#waiters.includes(waiter)) return;
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
      if (error) taken.reject(error);
      else taken.resolve();
    };
    const waiter: Waiter = { account, bytes, settle };
    const giveUp = (error: MillraceError) => {
      settle(error);
      // Who came later may fit.
      this.settle();
    };
    const onAbort = () => giveUp(MillraceError.from(signal.reason, 'cancelled'));
    const cancel = this.#options.clock.after(limits.scratchWaitMsMax, () =>
      giveUp(noSpace(this.directory, bytes, this.#cells)),
    );
    signal.addEventListener('abort', onAbort);
    this.#waiters.push(waiter);
    this.settle();
    try {
      await taken.promise;
    } finally {
      cancel();
      signal.removeEventListener('abort', onAbort);
    }
  }

  forget(account: ScratchAccount): void {
    this.#accounts.delete(account);
    this.settle();
  }

  /** Lets through who fits; refuses one when nobody does and nothing will free space. Called after whatever may matter. */
  settle(): void {
    this.#grant();
    this.#admit();
    if (this.#isAnyBusy()) return;
    const waiting = this.#waitingAccounts();
    if (waiting.length === 0) return;
    // A reduce that holds segments and asks for none now waits for maps elsewhere, which this worker does not hold up. Bounded by its own wait.
    const standing = waiting.filter((account) => account.cells.isWaiting);
    if (standing.length === 0 && this.#isAnyFetching(waiting)) return;
    this.#refuse(waiting.reduce((most, other) => (other.heldBytes > most.heldBytes ? other : most)));
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

  /** Whether an attempt works on, and so may free space at its end. */
  #isAnyBusy(): boolean {
    return [...this.#accounts].some((account) => account.isBusy && !this.#stands(account));
  }

  /** Its thread stands still, and there is still no room for it. */
  #stands({ cells }: ScratchAccount): boolean {
    return cells.isWaiting && this.usedBytes + cells.wantedBytes > this.limitBytes;
  }

  #waitingAccounts(): ScratchAccount[] {
    const threads = [...this.#accounts].filter((account) => account.isBusy && this.#stands(account));
    return [...threads, ...this.#waiters.map(({ account }) => account)];
  }

  #isAnyFetching(waiting: readonly ScratchAccount[]): boolean {
    return [...this.#accounts].some(
      (account) => account.phase === 'fetching' && account.heldBytes > 0 && !waiting.includes(account),
    );
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
  }

  async #watch(): Promise<void> {
    while (!this.#isClosed) {
      const seen = this.#cells.changes;
      this.settle();
      await this.#cells.waitForChange(seen);
    }
  }
}

/** `idle`: nothing will come of it by itself. `ending`: its files are on their way out. */
export type AccountPhase = 'idle' | 'fetching' | 'running' | 'ending';

/** What one attempt holds, or the output that it left. */
export class ScratchAccount {
  readonly cells = new AccountCells();
  /** Set by the budget; others `enter`. */
  phase: AccountPhase = 'idle';
  readonly #budget: ScratchBudget;
  readonly #shared: ScratchCells;
  #isClosed = false;

  constructor(budget: ScratchBudget, shared: ScratchCells) {
    this.#budget = budget;
    this.#shared = shared;
  }

  /** For the thread that runs the attempt. */
  get share(): ScratchShare {
    return { budget: this.#shared.memory, account: this.cells.memory, directory: this.#budget.directory };
  }

  get heldBytes(): number {
    return this.cells.heldBytes;
  }

  get isBusy(): boolean {
    return this.phase === 'running' || this.phase === 'ending';
  }

  enter(phase: AccountPhase): void {
    this.phase = phase;
    this.#budget.settle();
  }

  /** Waits for room. Rejects with `no-space`, or the signal's reason. */
  take(bytes: number, signal: AbortSignal): Promise<void> {
    return this.#budget.take(this, bytes, signal);
  }

  /** For a new map, which then runs: see {@link ScratchBudget.untilRoom}. */
  untilRoom(signal: AbortSignal): Promise<void> {
    return this.#budget.untilRoom(this, signal);
  }

  /** The attempt is over, its output stays. `bytes` that lay on the disk before this worker came are counted, room or not. */
  keep(bytes = 0): void {
    this.#shared.take(this.cells, bytes);
    this.#budget.forget(this);
  }

  /** Its files are gone. May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#shared.give(this.cells, this.heldBytes);
    this.#budget.forget(this);
  }
}

/** `no-space` or `permission-denied` naming the folder and `--dir`. */
export function notWritable(directory: string, thrown: unknown): MillraceError {
  const { code, message } = MillraceError.from(thrown, 'permission-denied');
  return new MillraceError(
    code === 'no-space' ? code : 'permission-denied',
    `the scratch folder ${directory} cannot be written (${message}); choose another with --dir`,
    { cause: thrown },
  );
}

/** So that this worker alone never fills a disk that others need; a small disk gives at most a quarter. */
function reserveOf({ totalBytes }: DiskSpace): number {
  const wanted = Math.max(limits.scratchReserveBytesMin, totalBytes * limits.scratchReserveFraction);
  return Math.floor(Math.min(wanted, totalBytes / 4));
}

async function readFileSystem(directory: string): Promise<DiskSpace> {
  const { bsize, blocks, bavail } = await statfs(directory);
  return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
}
