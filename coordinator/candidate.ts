/**
 * A coordinator that does not lead: waits until nobody does, then takes the lead through the journal. It watches `leader.json` change, by its
 * own monotonic clock only; what the clocks of hosts say never matters (docs/decisions/0013).
 */
import type { Clock } from '../lib/clock.ts';
import { MillraceError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { isGone } from '../lib/process-id.ts';
import type { StoreLocation } from '../lib/store/store.ts';
import type { MayLead, StoreJournal } from './journal.ts';
import { type Leader, readLeader } from './leader-file.ts';
import { type TakeLead, takeLead } from './take-lead.ts';

export interface CandidateOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Of the coordinator's own files. */
  readonly location: StoreLocation;
  /** A leader whose file does not change for so long leads no more. */
  readonly leaseMs: number;
  /** How the lead is taken; default through the journal. For tests. */
  readonly take?: TakeLead;
}

/** What `leader.json` said when it was first seen to say so. */
interface Sight {
  readonly mark: string;
  readonly sinceMs: number;
}

export class Candidate {
  readonly #options: CandidateOptions;
  readonly #take: TakeLead;
  #leader: Leader | undefined;
  #sight: Sight | undefined;
  /** What the file said when somebody else was found in the journal: it is not up to date, and allows nothing before a whole lease. */
  #outdatedMark: string | undefined;
  #isFailing = false;
  #isStopped = false;
  #cancel: () => void = () => undefined;

  constructor(options: CandidateOptions) {
    this.#options = options;
    this.#take = options.take ?? takeLead;
  }

  /** Who was last seen to lead. */
  get leader(): Leader | undefined {
    return this.#leader;
  }

  /** Takes the lead if it is free now, else undefined. Throws what the store throws, naming `--store`, and for a journal that cannot be read. */
  async tryNow(): Promise<StoreJournal | undefined> {
    const { location } = this.#options;
    let mayLead: MayLead | undefined;
    try {
      mayLead = await this.#look();
    } catch (thrown) {
      const { code, message } = MillraceError.from(thrown, 'store-failed');
      const what = `${location.uri}leader.json cannot be read (--store, MILLRACE_STORE)`;
      throw new MillraceError(code, `${what}: ${message}`, { cause: thrown });
    }
    return mayLead && (await this.#tryTake(mayLead));
  }

  /** Resolves when it leads; never when it was stopped. Throws for a journal that cannot be read; waits while the store is away. */
  async untilLeading(): Promise<StoreJournal> {
    const { clock, log, leaseMs } = this.#options;
    const pollMs = leaseMs / 5;
    for (;;) {
      await new Promise<void>((resolve) => {
        if (!this.#isStopped) this.#cancel = clock.after(pollMs, resolve);
      });
      try {
        const journal = await this.tryNow();
        if (journal) return journal;
        this.#isFailing = false;
      } catch (thrown) {
        const error = MillraceError.from(thrown, 'store-failed');
        if (!error.retryable || error.code === 'corrupt') throw error;
        if (!this.#isFailing) log.warn({ error: error.message }, 'who leads cannot be seen; trying again');
        this.#isFailing = true;
        // Nor could a leader renew its lead: when the store is back it gets a whole lease for that.
        this.#sight = undefined;
      }
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  /** Undefined while somebody leads; else for which end of the journal the lead may be taken. */
  async #look(): Promise<MayLead | undefined> {
    const { clock, location, leaseMs } = this.#options;
    const askedAtMs = clock.monotonicMs();
    const leader = await readLeader(location);
    this.#leader = leader;
    const mark = markOf(leader);
    const isOutdated = mark === this.#outdatedMark;
    // An epoch that the file does not know is that of somebody who has taken the lead just now.
    const mayLead: MayLead = (lastEpoch) => isOutdated || lastEpoch <= (leader?.epoch ?? 0);
    if (!isOutdated && (!leader || leader.isOver || isGone(leader))) return mayLead;
    if (this.#sight?.mark !== mark) this.#sight = { mark, sinceMs: clock.monotonicMs() };
    return askedAtMs - this.#sight.sinceMs >= leaseMs ? mayLead : undefined;
  }

  async #tryTake(mayLead: MayLead): Promise<StoreJournal | undefined> {
    const journal = await this.#take(this.#options.location, this.#options, mayLead);
    if (!journal) {
      this.#outdatedMark = markOf(this.#leader);
      this.#sight = undefined;
    }
    return journal;
  }
}

function markOf(leader: Leader | undefined): string {
  return leader ? `${leader.nonce} ${leader.counter}` : 'nobody';
}
