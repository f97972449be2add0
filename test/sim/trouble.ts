/** Does things to whole processes, links and disks, now and then, until the faults are over; then makes everything well again. */
import { Violation } from './checker.ts';
import { SimNode } from './schedule.ts';
import { SimCoordinator } from './sim-coordinator.ts';
import type { SimJob } from './sim-job.ts';
import { storeName } from './sim-store.ts';
import { SimWorker } from './sim-worker.ts';
import type { World } from './world.ts';

const roundMs = 1_000;
/** A client that found no coordinator asks again. */
const retryMs = 500;
const workersMin = 3;
const workersMax = 8;

export class Cluster {
  readonly workers: SimWorker[] = [];
  readonly #world: World;
  #coordinator: SimCoordinator | undefined;
  #epochs = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** The one that was started last. */
  get coordinator(): SimCoordinator {
    if (!this.#coordinator) throw new Violation('no coordinator has started');
    return this.#coordinator;
  }

  get isLed(): boolean {
    return this.#coordinator?.node.isAlive === true;
  }

  /** Again and again until one leads, as a supervisor does; also when it has stopped. */
  async startCoordinator(): Promise<void> {
    const node = new SimNode(this.#world.schedule, 'coordinator', 0);
    const before = this.#coordinator?.node;
    try {
      this.#coordinator = await SimCoordinator.start(this.#world, node);
      if (this.#epochs++ > 0) this.#world.count('lead taken over');
      // One that led until now goes on until its next append fails, or it sees who leads.
      before?.after(this.#world.between(0, 15_000), () => before.kill());
    } catch (error) {
      this.#world.trace(`no coordinator: ${String(error)}`);
      node.kill();
    }
    if (!node.isAlive) return this.#startLater();
    node.onKilled(() => {
      if (this.#coordinator?.node === node) this.#startLater();
    });
  }

  /** As a client does: until a coordinator has taken the job durably. What was taken is never sent again, so it must not be lost. */
  submit(job: SimJob, to?: SimNode): void {
    if (this.#world.checker.wasAccepted(job.jobId)) return;
    const asked = to?.isAlive ? to : this.#submitNow(job);
    this.#world.schedule.at(this.#world.schedule.nowMs + retryMs, () => this.submit(job, asked));
  }

  #submitNow(job: SimJob): SimNode | undefined {
    if (!this.isLed) return undefined;
    this.coordinator.submit(job);
    return this.coordinator.node;
  }

  hasEnded({ jobId }: SimJob): boolean {
    return this.isLed && this.coordinator.hasEnded(jobId);
  }

  #startLater(): void {
    const afterMs = this.#world.between(100, 5_000);
    this.#world.schedule.at(this.#world.schedule.nowMs + afterMs, () => void this.startCoordinator());
  }

  async addWorker(): Promise<void> {
    const worker = new SimWorker(this.#world, `w${this.workers.length}`);
    this.workers.push(worker);
    await worker.start();
  }

  /** Begins to make trouble. */
  start(): void {
    this.#world.schedule.at(this.#world.schedule.nowMs + roundMs, () => void this.#round());
  }

  async #round(): Promise<void> {
    const { faults } = this.#world;
    if (faults.areOver) return this.#heal();
    this.#world.schedule.at(this.#world.schedule.nowMs + roundMs, () => void this.#round());
    this.#cutLinks();
    this.#pause();
    if (this.isLed && faults.strikes('coordinator killed')) this.coordinator.node.kill();
    if (this.isLed && faults.strikes('coordinator deposed')) void this.startCoordinator();
    await this.#troubleWorkers();
    if (this.isLed && faults.strikes('job cancelled')) {
      const job = this.#world.random.pick([...this.#world.jobs.values()]);
      if (job) {
        job.wasCancelled = true;
        this.coordinator.cancel(job.jobId);
      }
    }
  }

  get #alive(): SimWorker[] {
    return this.workers.filter((worker) => worker.isAlive);
  }

  #anyName(): string {
    return this.#world.random.pick(this.workers)!.name;
  }

  #cutLinks(): void {
    const { faults, network, random } = this.#world;
    const ms = this.#world.between(500, 25_000);
    if (faults.strikes('partition')) {
      const name = this.#anyName();
      for (const other of ['coordinator', storeName, ...this.workers.map((worker) => worker.name)]) {
        network.block(name, other, ms);
        network.block(other, name, ms);
      }
    }
    if (faults.strikes('one-way partition')) {
      const [from, to] = random.chance(0.5)
        ? [this.#anyName(), 'coordinator']
        : ['coordinator', this.#anyName()];
      network.block(from, to, ms);
    }
    if (faults.strikes('partial partition')) network.block(this.#anyName(), this.#anyName(), ms);
    if (faults.strikes('store out of reach')) {
      const name = random.pick(['coordinator', this.#anyName()])!;
      network.block(name, storeName, ms);
      if (random.chance(0.5)) network.block(storeName, name, ms);
    }
  }

  #pause(): void {
    const { faults, random } = this.#world;
    // Up to ten leases.
    const ms = random.chance(0.3) ? this.#world.between(10_000, 100_000) : this.#world.between(500, 10_000);
    if (faults.strikes('worker paused')) random.pick(this.#alive)?.node.pause(ms);
    if (faults.strikes('coordinator paused')) this.coordinator.node.pause(ms / 4);
  }

  async #troubleWorkers(): Promise<void> {
    const { faults, random } = this.#world;
    const worker = random.pick(this.#alive);
    if (faults.strikes('worker killed')) {
      worker?.kill();
      worker?.loseDisk();
    } else if (faults.strikes('worker restarted')) worker?.kill();
    else if (faults.strikes('worker drained')) worker?.drain();
    if (worker?.isAlive && faults.strikes('run file damaged')) worker.damage('flip');
    if (worker?.isAlive && faults.strikes('run file gone')) worker.damage('remove');
    if (faults.strikes('worker added') && this.workers.length < workersMax) await this.addWorker();
    // A supervisor starts again what has ended, in its time.
    for (const dead of this.workers) if (!dead.isAlive && random.chance(0.2)) await dead.start();
  }

  async #heal(): Promise<void> {
    this.#world.trace('the faults are over');
    this.#world.network.heal();
    for (const node of [this.coordinator.node, ...this.workers.map((worker) => worker.node)]) {
      node.resume();
    }
    for (const dead of this.workers) if (!dead.isAlive) await dead.start();
    while (this.#alive.length < workersMin) await this.addWorker();
  }
}
