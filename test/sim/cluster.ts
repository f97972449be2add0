/** The processes of a simulation: coordinators under supervisors that start them again, workers, and the client that submits. */
import { limits } from '../../lib/limits.ts';
import { Violation } from './checker.ts';
import { SimNode } from './schedule.ts';
import { SimCoordinator } from './sim-coordinator.ts';
import type { SimJob } from './sim-job.ts';
import { SimWorker } from './sim-worker.ts';
import type { World } from './world.ts';

export const leaseMs: number = limits.heartbeatTimeoutMsDefault;
/** A client that found no coordinator asks again. */
const retryMs = 500;
/** Nor does it wait for one that stands still. */
const patienceMs = 20_000;
const startWithinMs = 5_000;

export class Cluster {
  readonly workers: SimWorker[] = [];
  /** The present life of each host's coordinator. */
  readonly coordinators: SimCoordinator[] = [];
  /** HOST:PORT of every coordinator, with commas. */
  readonly addresses: string;
  readonly #world: World;
  readonly #hosts: readonly string[];
  #asked = 0;

  constructor(world: World) {
    this.#world = world;
    // One leads; mostly one, sometimes two stand by, or nobody.
    const count = world.random.pick([1, 2, 2, 2, 2, 3])!;
    this.#hosts = Array.from({ length: count }, (_, at) => `coordinator${at}`);
    this.addresses = this.#hosts.map((host) => `${host}:7450`).join();
  }

  /** All hosts of the cluster, by name. */
  get names(): string[] {
    return [...this.#hosts, ...this.workers.map(({ name }) => name)];
  }

  /** Those that hold themselves for leaders, the last one last. */
  get leaders(): SimCoordinator[] {
    return this.coordinators.filter(({ leads }) => leads).sort((a, b) => a.epoch - b.epoch);
  }

  get leader(): SimCoordinator | undefined {
    return this.leaders.at(-1);
  }

  /** The last to have led. */
  get coordinator(): SimCoordinator {
    const [last] = this.coordinators.filter(({ epoch }) => epoch > 0).sort((a, b) => b.epoch - a.epoch);
    if (!last) throw new Violation('no coordinator has led');
    return last;
  }

  startCoordinators(): void {
    for (const [at] of this.#hosts.entries()) this.startCoordinator(at);
  }

  /** On host `at`, whatever runs there is ended. `patienceMs`: the lease it waits for before it follows a silent leader. */
  startCoordinator(at: number, patienceMs = leaseMs): void {
    const world = this.#world;
    const { schedule } = world;
    const node = new SimNode(schedule, this.#hosts[at]!, world.drawSkewMs());
    const before = this.coordinators[at];
    this.coordinators[at] = new SimCoordinator(world, node, {
      leaseMs: patienceMs,
      onEnded: () => {
        const afterMs = world.between(100, startWithinMs);
        schedule.at(schedule.nowMs + afterMs, () => {
          if (this.coordinators[at]?.node === node) this.startCoordinator(at);
        });
      },
    });
    before?.node.kill();
  }

  async addWorker(): Promise<void> {
    const worker = new SimWorker(this.#world, `w${this.workers.length}`, this.addresses);
    this.workers.push(worker);
    await worker.start();
  }

  /** As a client does: until a coordinator has taken the job durably. What was taken is never sent again, so it must not be lost. */
  submit(job: SimJob, to?: SimCoordinator): void {
    if (this.#world.checker.wasAccepted(job.jobId)) return;
    const isThere = to?.node.isAlive && to.node.pausedForMs < patienceMs;
    const asked = isThere ? to : this.#submitNow(job);
    this.#world.schedule.at(this.#world.schedule.nowMs + retryMs, () => this.submit(job, asked));
  }

  /** One after the other: only who leads takes it. */
  #submitNow(job: SimJob): SimCoordinator | undefined {
    const coordinator = this.coordinators[this.#asked++ % this.coordinators.length];
    if (!coordinator?.leads) return undefined;
    coordinator.submit(job);
    return coordinator;
  }

  hasEnded({ jobId }: SimJob): boolean {
    return this.leader?.hasEnded(jobId) === true;
  }
}
