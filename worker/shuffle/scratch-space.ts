/**
 * Room on the scratch disk, asked for before anything is written there. All threads of a worker share one budget, in memory they
 * all see; each attempt has an account in it, so that what an attempt held is known however its thread ended. The main thread decides
 * who waits and who is refused (worker/control/scratch-budget.ts); here is what both sides do to the numbers.
 */
import { MillraceError } from '../../lib/errors.ts';
import { formatBytes } from '../../lib/units.ts';

/** For code that writes and cannot await: the thread stands still until there is room. */
export interface ScratchSpace {
  /** Throws `no-space` naming the folder, the bytes and the setting. */
  take(bytes: number): void;
  /** Of files that were removed while the attempt goes on; what it holds at its end goes back with its account. */
  give(bytes: number): void;
}

/** For runs without a worker around them. */
export const unlimitedSpace: ScratchSpace = { take: () => undefined, give: () => undefined };

/** What a slot thread is given of the budget. */
export interface ScratchShare {
  readonly budget: SharedArrayBuffer;
  readonly account: SharedArrayBuffer;
  /** For messages. */
  readonly directory: string;
}

const bytesAt = { limit: 0, used: 1 } as const;
/** After the two 8-byte numbers. `changes`: anything the main thread decides by. `freed`: what threads wait for. */
const wordAt = { changes: 4, freed: 5 } as const;
const budgetBytes = 24;

const accountBytesAt = { held: 0, wanted: 1 } as const;
const accountWordAt = { standing: 4 } as const;
const accountBytes = 24;

/** Of an account: whether its thread stands still for space. A refused one that found room all the same goes on. */
const standing = { free: 0, waiting: 1, refused: 2 } as const;

/** A waiting thread looks up this often, so that the task it runs is not taken for hung. */
const lookUpMs = 1_000;

export class ScratchCells {
  readonly memory: SharedArrayBuffer;
  readonly #bytes: BigInt64Array;
  readonly #words: Int32Array<SharedArrayBuffer>;

  constructor(memory = new SharedArrayBuffer(budgetBytes)) {
    this.memory = memory;
    this.#bytes = new BigInt64Array(memory, 0, 2);
    this.#words = new Int32Array(memory);
  }

  get limitBytes(): number {
    return Number(Atomics.load(this.#bytes, bytesAt.limit));
  }

  set limitBytes(bytes: number) {
    Atomics.store(this.#bytes, bytesAt.limit, BigInt(bytes));
    this.#freed();
  }

  get usedBytes(): number {
    return Number(Atomics.load(this.#bytes, bytesAt.used));
  }

  /** False, and nothing changed, when it would pass the limit. */
  tryTake(account: AccountCells, bytes: number): boolean {
    const more = BigInt(bytes);
    for (;;) {
      const used = Atomics.load(this.#bytes, bytesAt.used);
      if (used + more > Atomics.load(this.#bytes, bytesAt.limit)) return false;
      if (Atomics.compareExchange(this.#bytes, bytesAt.used, used, used + more) !== used) continue;
      account.add(bytes);
      return true;
    }
  }

  /** Past the limit if need be: for what lies on the disk already. */
  take(account: AccountCells, bytes: number): void {
    Atomics.add(this.#bytes, bytesAt.used, BigInt(bytes));
    account.add(bytes);
  }

  /** The account first: a thread that is stopped between the two leaves space taken, never given twice. */
  give(account: AccountCells, bytes: number): void {
    account.add(-bytes);
    Atomics.sub(this.#bytes, bytesAt.used, BigInt(bytes));
    this.#freed();
  }

  /** Something that the main thread decides by is not what it was. */
  changed(): void {
    Atomics.add(this.#words, wordAt.changes, 1);
    Atomics.notify(this.#words, wordAt.changes);
  }

  /** Threads that wait look again. */
  wakeThreads(): void {
    Atomics.add(this.#words, wordAt.freed, 1);
    Atomics.notify(this.#words, wordAt.freed);
  }

  /** A number to give to `waitForChange` and `waitForFreed`: what happens after it was read ends the wait. */
  get changes(): number {
    return Atomics.load(this.#words, wordAt.changes);
  }

  get freed(): number {
    return Atomics.load(this.#words, wordAt.freed);
  }

  /** Undefined when there was a change since. For the main thread, which must not stand still. */
  waitForChange(seen: number): Promise<unknown> | undefined {
    const wait = Atomics.waitAsync(this.#words, wordAt.changes, seen);
    return wait.async ? wait.value : undefined;
  }

  /** Stands still. */
  waitForFreed(seen: number): void {
    Atomics.wait(this.#words, wordAt.freed, seen, lookUpMs);
  }

  #freed(): void {
    this.wakeThreads();
    this.changed();
  }
}

export class AccountCells {
  readonly memory: SharedArrayBuffer;
  readonly #bytes: BigInt64Array;
  readonly #words: Int32Array;

  constructor(memory = new SharedArrayBuffer(accountBytes)) {
    this.memory = memory;
    this.#bytes = new BigInt64Array(memory, 0, 2);
    this.#words = new Int32Array(memory);
  }

  get heldBytes(): number {
    return Number(Atomics.load(this.#bytes, accountBytesAt.held));
  }

  /** What its thread stands still for; meaningless when it does not. */
  get wantedBytes(): number {
    return Number(Atomics.load(this.#bytes, accountBytesAt.wanted));
  }

  get isWaiting(): boolean {
    return Atomics.load(this.#words, accountWordAt.standing) === standing.waiting;
  }

  get isRefused(): boolean {
    return Atomics.load(this.#words, accountWordAt.standing) === standing.refused;
  }

  add(bytes: number): void {
    Atomics.add(this.#bytes, accountBytesAt.held, BigInt(bytes));
  }

  beginWait(bytes: number): void {
    Atomics.store(this.#bytes, accountBytesAt.wanted, BigInt(bytes));
    Atomics.store(this.#words, accountWordAt.standing, standing.waiting);
  }

  endWait(): void {
    Atomics.store(this.#words, accountWordAt.standing, standing.free);
  }

  /** No effect on a thread that waits no more. */
  refuse(): void {
    Atomics.compareExchange(this.#words, accountWordAt.standing, standing.waiting, standing.refused);
  }
}

/** The space of one attempt, seen from its thread. `onWait` is called whenever it looks up while it waits. */
export function shareOfSpace(share: ScratchShare, onWait: () => void): ScratchSpace {
  const cells = new ScratchCells(share.budget);
  const account = new AccountCells(share.account);
  const wait = (bytes: number) => {
    account.beginWait(bytes);
    cells.changed();
    try {
      for (;;) {
        const seen = cells.freed;
        if (cells.tryTake(account, bytes)) return;
        if (account.isRefused) throw noSpace(share.directory, bytes, cells);
        onWait();
        cells.waitForFreed(seen);
      }
    } finally {
      account.endWait();
      cells.changed();
    }
  };
  return {
    take(bytes) {
      if (!cells.tryTake(account, bytes)) wait(bytes);
    },
    give: (bytes) => cells.give(account, bytes),
  };
}

export function noSpace(
  directory: string,
  bytes: number,
  { usedBytes, limitBytes }: ScratchCells,
): MillraceError {
  return new MillraceError(
    'no-space',
    `the scratch folder ${directory} has no room for ${formatBytes(bytes)} more: ${formatBytes(usedBytes)} of ` +
      `${formatBytes(limitBytes)} are in use and nothing here will free any; free disk space, add workers, or raise ` +
      '--scratch-limit (MILLRACE_SCRATCH_LIMIT)',
  );
}
