/** The leader's side of `leader.json`: says again and again that it leads, and notices when another one does. */
import type { Clock } from '../lib/clock.ts';
import { MillraceError } from '../lib/errors.ts';
import { failpoint } from '../lib/failpoints.ts';
import type { Log } from '../lib/log.ts';
import { thisProcess } from '../lib/process-id.ts';
import type { StoreLocation } from '../lib/store/store.ts';
import { type Leader, readLeader, writeLeader } from './leader-file.ts';

export interface LeadKeeperOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Of the coordinator's own files. */
  readonly location: StoreLocation;
  readonly leaseMs: number;
  /** What it says of itself. */
  readonly lead: Pick<Leader, 'epoch' | 'nonce' | 'grpc' | 'http'>;
  /** Called once at most: another coordinator has taken the lead. */
  onDeposed(error: MillraceError): void;
}

export class LeadKeeper {
  readonly #options: LeadKeeperOptions;
  #counter = 0;
  #isStopped = false;
  #isFailing = false;
  #beating: Promise<void> = Promise.resolve();
  #cancel: () => void = () => undefined;

  constructor(options: LeadKeeperOptions) {
    this.#options = options;
  }

  /** Says it at once, and then every third of a lease. Resolves after the first try; never rejects. */
  start(): Promise<void> {
    this.#beating = this.#beat();
    return this.#beating;
  }

  /** Says nothing any more: this coordinator leads no longer, or its store is away. */
  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  /** Says that the lead is over, so that nobody waits for a lease; unless it was stopped before. */
  async close(): Promise<void> {
    const wasStopped = this.#isStopped;
    this.stop();
    await this.#beating;
    if (!wasStopped) await this.#say(true);
  }

  async #beat(): Promise<void> {
    const { clock, leaseMs } = this.#options;
    await this.#say(false);
    if (!this.#isStopped) {
      this.#cancel = clock.after(leaseMs / 3, () => {
        this.#beating = this.#beat();
      });
    }
  }

  async #say(isOver: boolean): Promise<void> {
    const { log, location, lead } = this.#options;
    try {
      const there = await readLeader(location);
      if (there && there.epoch > lead.epoch) return this.#deposed(there);
      this.#counter++;
      failpoint('lead.file-before');
      await writeLeader(location, { version: 1, ...lead, ...thisProcess, counter: this.#counter, isOver });
      failpoint('lead.file-after');
      this.#isFailing = false;
    } catch (thrown) {
      const { message } = MillraceError.from(thrown, 'store-failed');
      if (!this.#isFailing) log.warn({ error: message }, 'the lead could not be renewed; trying again');
      this.#isFailing = true;
    }
  }

  #deposed({ epoch, grpc, host, pid }: Leader): void {
    if (this.#isStopped) return;
    this.stop();
    const { location, lead, onDeposed } = this.#options;
    const by = `process ${pid} on ${host} at ${grpc} (epoch ${epoch})`;
    onDeposed(
      new MillraceError(
        'wrong-state',
        `another coordinator leads: ${by} took the lead on ${location.uri} after this one (epoch ${lead.epoch}) fell silent for ` +
          'longer than --lease (MILLRACE_LEASE)',
      ),
    );
  }
}
