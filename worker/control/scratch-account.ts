/** What one attempt holds of the scratch disk, or the output that it left there. */
import type { JobId } from '../../lib/ids.ts';
import { AccountCells, type ScratchCells, type ScratchShare } from '../shuffle/scratch-space.ts';
import type { ScratchBudget } from './scratch-budget.ts';

/** `idle`: nothing will come of it by itself. `ending`: its files are on their way out. `kept`: over, its output stays. */
export type AccountPhase = 'idle' | 'fetching' | 'running' | 'ending' | 'kept';

export class ScratchAccount {
  readonly jobId: JobId;
  readonly cells = new AccountCells();
  /** Set by the budget; others `enter`. */
  phase: AccountPhase = 'idle';
  readonly #budget: ScratchBudget;
  readonly #shared: ScratchCells;
  #isClosed = false;

  constructor(jobId: JobId, budget: ScratchBudget, shared: ScratchCells) {
    this.jobId = jobId;
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

  enter(phase: Exclude<AccountPhase, 'kept'>): void {
    this.phase = phase;
    this.#budget.settle();
  }

  /** Waits for room. Rejects with `no-space`, or the signal's reason. */
  take(bytes: number, signal: AbortSignal): Promise<void> {
    return this.#budget.take(this, bytes, signal);
  }

  /** For a new map, which then runs: resolves below the high-water mark, or when waiting would free nothing. Rejects with the signal's reason. */
  untilRoom(signal: AbortSignal): Promise<void> {
    return this.#budget.untilRoom(this, signal);
  }

  /** The attempt is over. `bytes` that lay on the disk before this worker came are counted, room or not. */
  keep(bytes = 0): void {
    this.phase = 'kept';
    this.#shared.take(this.cells, bytes);
    this.#budget.keep(this);
  }

  /** Its files are gone. May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#shared.give(this.cells, this.heldBytes);
    this.#budget.forget(this);
  }
}
