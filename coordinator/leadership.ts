/** Leads or stands by: takes the lead through the journal when nobody has it, says so in `leader.json`, and notices when another one has it. */
import type { StoreLocation } from '../lib/store/store.ts';
import { Candidate } from './candidate.ts';
import type { CoordinatorConfig } from './config.ts';
import type { StoreJournal } from './journal.ts';
import type { Lead } from './lead.ts';
import { LeadKeeper } from './lead-keeper.ts';
import type { Leader } from './leader-file.ts';

export interface LeadershipPorts extends Pick<CoordinatorConfig, 'clock' | 'log' | 'leaseMs'> {
  /** Of the coordinator's own files. */
  readonly location: StoreLocation;
  /** What `leader.json` says of it; asked when it leads. */
  addresses(): Pick<Leader, 'grpc' | 'http'>;
  /** Goes on from what the journal says, and serves. */
  lead(journal: StoreJournal): Promise<Lead>;
}

export class Leadership {
  readonly #ports: LeadershipPorts;
  readonly #candidate: Candidate;
  readonly #leads = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();
  #keeper: LeadKeeper | undefined;
  #lead: Lead | undefined;
  #epoch: number | undefined;
  #isStopped = false;

  constructor(ports: LeadershipPorts) {
    this.#ports = ports;
    this.#candidate = new Candidate(ports);
    this.#failed.promise.catch(() => this.#keeper?.stop());
  }

  /** Resolves when it leads; never when it is stopped before. */
  get leads(): Promise<void> {
    return this.#leads.promise;
  }

  /** Rejects when the journal or the core fails, or another coordinator has taken the lead. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** From the moment it has taken the lead on; undefined in a standby. */
  get epoch(): number | undefined {
    return this.#epoch;
  }

  get lead(): Lead | undefined {
    return this.#lead;
  }

  /** Who was last seen to lead. */
  get leader(): Leader | undefined {
    return this.#candidate.leader;
  }

  /** Resolves with whether it leads at once; otherwise it stands by. Throws for a store or a journal that it cannot lead on. */
  async start(): Promise<boolean> {
    const journal = await this.#candidate.tryNow();
    if (journal) await this.#takeOver(journal);
    else this.#standBy().catch(this.#failed.reject);
    return journal !== undefined;
  }

  /** Takes no lead any more. */
  stop(): void {
    this.#isStopped = true;
    this.#candidate.stop();
  }

  /** Ends the lead in order, so that nobody waits for a lease. */
  async close(): Promise<void> {
    this.stop();
    await this.#lead?.close();
    await this.#keeper?.close();
  }

  async #standBy(): Promise<void> {
    const journal = await this.#candidate.untilLeading();
    if (!this.#isStopped) await this.#takeOver(journal);
  }

  async #takeOver(journal: StoreJournal): Promise<void> {
    this.#epoch = journal.epoch;
    this.#keeper = this.#keeperOf(journal);
    await this.#keeper.start();
    const lead = await this.#ports.lead(journal);
    // Closed meanwhile, because another one leads or nobody wants it any more: nobody else would end this lead.
    if (this.#isStopped) return lead.close();
    this.#lead = lead;
    lead.failed.catch(this.#failed.reject);
    this.#leads.resolve();
  }

  #keeperOf({ epoch, nonce }: StoreJournal): LeadKeeper {
    return new LeadKeeper({
      ...this.#ports,
      lead: { epoch, nonce, ...this.#ports.addresses() },
      onDeposed: (error) => {
        this.#lead?.stop(error);
        this.#failed.reject(error);
      },
    });
  }
}
