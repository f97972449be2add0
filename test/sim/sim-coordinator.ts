/** A coordinator as lead.ts wires it, without sockets: the real core, loop, journal, effects and worker service. */
import type { Effect } from '../../coordinator/core/effects.ts';
import type { Event } from '../../coordinator/core/events.ts';
import { assertInvariants } from '../../coordinator/core/invariants.ts';
import { snapshotRecords } from '../../coordinator/core/snapshot.ts';
import { type CoreState, createState } from '../../coordinator/core/state.ts';
import { step } from '../../coordinator/core/step.ts';
import { JobLogs } from '../../coordinator/job-logs.ts';
import { JobWatchers } from '../../coordinator/job-watchers.ts';
import { StoreJournal } from '../../coordinator/journal.ts';
import { type Happening, Loop } from '../../coordinator/loop.ts';
import { type PerformPorts, perform } from '../../coordinator/perform.ts';
import { restoreOutputs } from '../../coordinator/restore-outputs.ts';
import { WorkerService } from '../../coordinator/rpc/worker-service.ts';
import { startTicking } from '../../coordinator/start-ticking.ts';
import { attemptKey, type JobId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import { TicketIssuer } from '../../lib/security/ticket.ts';
import { simulated } from './faults.ts';
import type { SimNode } from './schedule.ts';
import type { SimJob } from './sim-job.ts';
import { storeName } from './sim-store.ts';
import type { World } from './world.ts';

const heartbeatTimeoutMs = limits.heartbeatTimeoutMsDefault;

/** Why one may stop: what it decided may not be durable, or another one leads. */
const stops = new RegExp(`${simulated}|another coordinator leads|does not lead any more`);

export class SimCoordinator {
  readonly node: SimNode;
  readonly state: CoreState;
  readonly #world: World;
  readonly #loop: Loop;
  readonly #epoch: number;
  /** Records that the core asked to be remembered. */
  #decided = 0;
  readonly #mutate: <T>(what: 'event' | 'effect', value: T) => T | undefined;

  private constructor(world: World, node: SimNode, journal: StoreJournal) {
    const { log } = world;
    const { epoch } = journal;
    this.#world = world;
    this.node = node;
    this.#epoch = epoch;
    this.state = createState({ epoch, backupMinRuntimeMs: 2_000 });
    this.#mutate = (what, value) => world.mutant?.[what]?.(value as never, this.state) as never;
    const dispatch = (happening: Happening) => this.#loop.dispatch(happening);
    const workers = new WorkerService({
      clock: node,
      log,
      jobLogs: new JobLogs((jobId) => this.state.jobs.has(jobId)),
      dispatch,
      settings: {
        epoch,
        heartbeatIntervalMs: limits.heartbeatIntervalMsDefault,
        tickets: new TicketIssuer(node, epoch),
      },
      runs: (workerId, attempt) =>
        this.state.workers.get(workerId)?.attempts.has(attemptKey(attempt)) ?? false,
      onDiagnosis: () => undefined,
    });
    const ports: PerformPorts = {
      log,
      stores: world.disk.storesFor(node),
      watchers: new JobWatchers(),
      outputsInUse: new Set(),
      commitsBegun: new Set(),
      dispatch,
      sendToWorker: workers.send.bind(workers),
      onJobEvent: () => undefined,
      onWorkerLost: (reason) => world.count(`worker lost: ${reason}`),
    };
    this.#loop = new Loop({
      clock: node,
      journal: world.mutant?.journal?.(journal) ?? journal,
      step: (event) => this.#step(event, ports),
      perform: (effect) => this.#perform(effect, ports),
      committed: () => {
        if (journal.isSnapshotDue) journal.snapshot(snapshotRecords(this.state));
      },
      onFatal: (error) => this.#stop(error),
    });
    world.servers.set(node.name, { node, control: workers.handlers });
  }

  /** Takes the lead and goes on from what the journal says. Throws when the store does not let it. */
  static async start(world: World, node: SimNode): Promise<SimCoordinator> {
    const location = world.disk.storesFor(node).locate(`mem://${storeName}/coordinator/`);
    const journal = await StoreJournal.open(location, { clock: node, log: world.log });
    const coordinator = new SimCoordinator(world, node, journal);
    coordinator.#loop.dispatch({ type: 'journal-replayed', records: journal.takeReplayed() });
    await coordinator.#loop.settled();
    startTicking({ clock: node, tickIntervalMs: 1_000, heartbeatTimeoutMs }, coordinator.#loop);
    return coordinator;
  }

  submit({ spec }: SimJob): void {
    this.#loop.dispatch({ type: 'job-submitted', spec });
  }

  cancel(jobId: JobId): void {
    this.#loop.dispatch({ type: 'cancel-requested', jobId, reason: 'the simulation says so' });
  }

  hasEnded(jobId: JobId): boolean {
    return this.state.jobs.get(jobId)?.phase.name === 'ended';
  }

  #step(event: Event, ports: PerformPorts) {
    const mutated = this.#mutate('event', event) ?? event;
    this.#world.trace(`${this.node.name} steps ${event.type}`);
    this.#world.count(`event: ${event.type}`);
    const { checker } = this.#world;
    checker.stepping(this.state, event);
    const result = step(this.state, mutated);
    if (event.type === 'journal-replayed') restoreOutputs(this.state, event.records, ports);
    this.#decided += result.persist.length;
    try {
      assertInvariants(this.state);
    } catch (error) {
      checker.fail(`after ${event.type}: ${(error as Error).message}`);
    }
    checker.stepped(this.state, event);
    const effects = result.effects.flatMap((effect) => {
      const wanted = this.#mutate('effect', effect);
      return wanted === null ? [] : [wanted ?? effect];
    });
    return { persist: result.persist, effects };
  }

  #perform(effect: Effect, ports: PerformPorts): void {
    const { checker } = this.#world;
    checker.performing(effect, this.#epoch, this.#decided);
    this.#world.count(`effect: ${effect.type}`);
    if (effect.type === 'say') this.#sayBranch(effect.text);
    if (effect.type === 'send-rejoin') {
      const server = this.#world.servers.get(effect.workerId.split('-')[0]!);
      if (server) server.node.wasGivenUp = true;
    }
    if (effect.type === 'job-event' && effect.event.type === 'job-state') {
      const { jobId } = effect.event;
      if (this.hasEnded(jobId)) checker.ended(this.state, jobId);
    }
    perform(effect, ports);
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

  #stop(error: unknown): void {
    this.#world.trace(`${this.node.name} stops: ${String(error)}`);
    const message = String(error instanceof Error ? error.stack : error);
    // It stops rather than act on what may not be durable; the next one goes on.
    if (!stops.test(message)) this.#world.checker.fail(`the coordinator stopped: ${message}`);
    this.#world.count('coordinator stopped');
    this.node.kill();
  }
}
