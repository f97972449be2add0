/** One life of a coordinator as main.ts has it, without sockets: it leads or stands by, and what leads is what lead.ts wires. */
import { compileConfig } from '../../coordinator/config.ts';
import type { Effect } from '../../coordinator/core/effects.ts';
import type { Event } from '../../coordinator/core/events.ts';
import { assertInvariants } from '../../coordinator/core/invariants.ts';
import type { CoreState } from '../../coordinator/core/state.ts';
import type { StoreJournal } from '../../coordinator/journal.ts';
import { type Lead, startLead } from '../../coordinator/lead.ts';
import { Leadership } from '../../coordinator/leadership.ts';
import type { LoopPorts } from '../../coordinator/loop.ts';
import { standbyHandlers } from '../../coordinator/rpc/standby-handlers.ts';
import { MillraceError } from '../../lib/errors.ts';
import type { JobId } from '../../lib/ids.ts';
import { simulated } from './faults.ts';
import type { SimNode } from './schedule.ts';
import type { SimJob } from './sim-job.ts';
import { storeName } from './sim-store.ts';
import type { World } from './world.ts';

const storeUri = `s3://${storeName}/coordinator/`;

/** Why one may stop: what it decided may not be durable, another one leads, or the store is not one that can be led on. */
const stops = new RegExp(
  `${simulated}|another coordinator leads|does not lead any more|ignores conditional writes`,
);

export interface SimCoordinatorOptions {
  /** A leader that is silent for so long is followed by this one. */
  readonly leaseMs: number;
  /** Called once: its process has ended, whatever ended it. */
  onEnded(): void;
}

export class SimCoordinator {
  readonly node: SimNode;
  readonly #world: World;
  readonly #leadership: Leadership;
  readonly #config: ReturnType<typeof compileConfig>;
  #state: CoreState | undefined;
  /** Records that the core asked to be remembered. */
  #decided = 0;
  #hasFailed = false;

  constructor(world: World, node: SimNode, { leaseMs, onEnded }: SimCoordinatorOptions) {
    this.#world = world;
    this.node = node;
    this.#config = compileConfig({
      listen: '127.0.0.1:7450',
      storeUri,
      leaseMs,
      backupMinRuntimeMs: 2_000,
      clock: node,
      log: world.log,
    });
    this.#leadership = new Leadership({
      ...this.#config,
      location: this.#stores.locate(storeUri),
      addresses: () => ({ grpc: `${node.name}:7450`, http: null }),
      lead: (journal) => this.#lead(journal),
    });
    node.onKilled(onEnded);
    const { worker } = standbyHandlers(
      () => new MillraceError('unavailable', 'this coordinator is a standby'),
    );
    world.servers.set(node.name, { node, control: worker });
    this.#leadership.failed.catch((error) => this.#stop(error));
    this.#leadership.start().catch((error) => this.#stop(error));
  }

  /** It answers as a leader, and has not noticed that it is none. */
  get leads(): boolean {
    return this.node.isAlive && !this.#hasFailed && this.#leadership.lead !== undefined;
  }

  get epoch(): number {
    return this.#leadership.epoch ?? 0;
  }

  /** Of one that leads, or did. */
  get state(): CoreState {
    return this.#state!;
  }

  submit({ spec }: SimJob): void {
    this.#leadership.lead?.dispatch({ type: 'job-submitted', spec });
  }

  cancel(jobId: JobId): void {
    const reason = 'the simulation says so';
    this.#leadership.lead?.dispatch({ type: 'cancel-requested', jobId, reason });
  }

  hasEnded(jobId: JobId): boolean {
    return this.#state?.jobs.get(jobId)?.phase.name === 'ended';
  }

  /** As by SIGTERM: the lead is given back. */
  async close(): Promise<void> {
    this.#world.servers.delete(this.node.name);
    await this.#leadership.close();
    this.node.kill();
  }

  get #stores() {
    return this.#world.disk.storesFor(this.node);
  }

  async #lead(journal: StoreJournal): Promise<Lead> {
    const stores = this.#stores;
    const wrapLoop = (ports: LoopPorts, state: CoreState) => this.#wrap(ports, state);
    const ports = { stores, patientStores: stores, metrics: undefined, wrapLoop };
    const lead = await startLead(this.#config, ports, journal);
    const { node } = this;
    this.#world.trace(`${node.name} leads, epoch ${journal.epoch}`);
    this.#world.count(journal.epoch > 1 ? 'lead taken over' : 'lead taken');
    this.#world.servers.set(node.name, { node, control: lead.handlers.worker });
    return lead;
  }

  #wrap(ports: LoopPorts, state: CoreState): LoopPorts {
    this.#state = state;
    const { journal } = ports;
    return {
      ...ports,
      journal: this.#world.mutant?.journal?.(journal) ?? journal,
      step: (event) => this.#step(event, ports, state),
      perform: (effect) => this.#perform(effect, ports, state),
    };
  }

  #step(event: Event, ports: LoopPorts, state: CoreState) {
    const { checker, mutant } = this.#world;
    this.#world.trace(`${this.node.name} steps ${event.type}`);
    this.#world.count(`event: ${event.type}`);
    checker.stepping(state, event);
    const result = ports.step(mutant?.event?.(event, state) ?? event);
    this.#decided += result.persist.length;
    try {
      assertInvariants(state);
    } catch (error) {
      checker.fail(`after ${event.type}: ${(error as Error).message}`);
    }
    checker.stepped(state, event);
    const effects = result.effects.flatMap((effect) => {
      const wanted = mutant?.effect?.(effect, state);
      return wanted === null ? [] : [wanted ?? effect];
    });
    return { persist: result.persist, effects };
  }

  #perform(effect: Effect, ports: LoopPorts, state: CoreState): void {
    const { checker } = this.#world;
    checker.performing(effect, state, this.#decided);
    this.#world.count(`effect: ${effect.type}`);
    if (effect.type === 'say') this.#sayBranch(effect.text);
    if (effect.type === 'send-rejoin') {
      const server = this.#world.servers.get(effect.workerId.split('-')[0]!);
      if (server) server.node.wasGivenUp = true;
    }
    if (effect.type === 'job-event' && effect.event.type === 'job-state') {
      const { jobId } = effect.event;
      if (this.hasEnded(jobId)) checker.ended(state, jobId);
    }
    ports.perform(effect);
  }

  /** The rare decisions, by what they say. */
  #sayBranch(text: string): void {
    this.#world.trace(`${this.node.name}: ${text}`);
    for (const branch of [
      'backup',
      'quarantine',
      'to run again',
      'runs alone',
      'condemned',
      'do not run again',
      'not needed any more',
      'made something else',
    ]) {
      if (text.includes(branch)) this.#world.count(`said: ${branch}`);
    }
  }

  /** It ends rather than act on what may not be durable; a supervisor starts it again. */
  #stop(error: unknown): void {
    if (!this.node.isAlive || this.#hasFailed) return;
    this.#hasFailed = true;
    this.#world.trace(`${this.node.name} stops: ${String(error)}`);
    const message = String(error instanceof Error ? error.stack : error);
    if (!stops.test(message) && !this.#hasReadDamage(message))
      this.#world.checker.fail(`the coordinator stopped: ${message}`);
    this.#world.count('coordinator stopped');
    this.node.kill();
  }

  /** It read a part of the journal other than it was written, and does not go on from that. */
  #hasReadDamage(message: string): boolean {
    // The bit may be one of the number of its format.
    const isNamed = /is not a whole part of the journal|was written by another version/.test(message);
    const { checker, faults } = this.#world;
    return isNamed && (checker.isTorn || faults.struck.has('journal byte flipped'));
  }
}
