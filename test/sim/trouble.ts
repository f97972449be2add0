/** Does things to whole processes, links and disks, now and then, until the faults are over; then makes everything well again. */
import { type Cluster, leaseMs } from './cluster.ts';
import type { SimNode } from './schedule.ts';
import type { SimCoordinator } from './sim-coordinator.ts';
import { storeName } from './sim-store.ts';
import type { SimWorker } from './sim-worker.ts';
import type { World } from './world.ts';

const roundMs = 1_000;
const workersMin = 3;
const workersMax = 8;
/** A coordinator that is too quick to follow another one. */
const hastyLeaseMs = 2_000;
const hourMs = 3_600_000;

export class Trouble {
  readonly #world: World;
  readonly #cluster: Cluster;
  /** Who does not wait for a lease takes the lead from leaders whose last look at the store is still good: no store may lie meanwhile. */
  #isHasty = false;
  #isLawless = false;

  constructor(world: World, cluster: Cluster) {
    this.#world = world;
    this.#cluster = cluster;
  }

  start(): void {
    this.#world.schedule.at(this.#world.schedule.nowMs + roundMs, () => void this.#round());
  }

  async #round(): Promise<void> {
    const { faults } = this.#world;
    if (faults.areOver) return this.#heal();
    this.start();
    this.#cutLinks();
    this.#clog();
    this.#pause();
    this.#turnClocks();
    this.#troubleStore();
    this.#troubleCoordinators();
    await this.#troubleWorkers();
    if (faults.strikes('job cancelled')) this.#cancel();
  }

  #cancel(): void {
    const { leader } = this.#cluster;
    const job = this.#world.random.pick([...this.#world.jobs.values()]);
    if (!job || !leader) return;
    job.wasCancelled = true;
    leader.cancel(job.jobId);
  }

  get #alive(): SimWorker[] {
    return this.#cluster.workers.filter((worker) => worker.isAlive);
  }

  get #nodes(): SimNode[] {
    return [...this.#cluster.coordinators, ...this.#cluster.workers]
      .map(({ node }) => node)
      .filter((node) => node.isAlive);
  }

  /** Mostly the one that leads. Those that wait for its lease to end are mostly left alone: else nobody would ever follow it. */
  #anyCoordinator(): SimCoordinator | undefined {
    const { leader, coordinators } = this.#cluster;
    const { random } = this.#world;
    const any = random.pick(coordinators.filter(({ node }) => node.isAlive));
    return random.chance(0.7) ? leader : any;
  }

  #anyName(): string {
    const { random } = this.#world;
    const coordinator = this.#anyCoordinator();
    if (coordinator && random.chance(0.3)) return coordinator.node.name;
    return random.pick(this.#cluster.workers)!.name;
  }

  #cutLinks(): void {
    const { faults, network, random } = this.#world;
    const ms = this.#world.between(500, 25_000);
    if (faults.strikes('partition')) this.#isolate(this.#anyName(), ms);
    if (faults.strikes('one-way partition')) {
      const coordinator = random.pick(this.#cluster.coordinators)!.node.name;
      const worker = random.pick(this.#cluster.workers)!.name;
      const [from, to] = random.chance(0.5) ? [worker, coordinator] : [coordinator, worker];
      network.block(from, to, ms);
    }
    if (faults.strikes('partial partition')) network.block(this.#anyName(), this.#anyName(), ms);
    if (faults.strikes('store out of reach')) {
      const name = this.#anyName();
      network.block(name, storeName, ms);
      if (random.chance(0.5)) network.block(storeName, name, ms);
    }
  }

  /** From everybody. */
  #isolate(name: string, ms: number): void {
    for (const other of [storeName, ...this.#cluster.names]) {
      this.#world.network.block(name, other, ms);
      this.#world.network.block(other, name, ms);
    }
  }

  /** Some hosts are cut off one after the other, and come back in another order. */
  #clog(): void {
    const { faults, random, schedule } = this.#world;
    if (!faults.strikes('hosts clogged in turn')) return;
    const names = this.#cluster.names.filter(() => random.chance(0.6));
    const stepMs = this.#world.between(200, 1_500);
    const backMs = names.map((_, at) => (names.length + 2 + at) * stepMs);
    for (const [at, name] of names.entries()) {
      const [untilMs = 0] = backMs.splice(random.below(backMs.length), 1);
      const fromMs = at * stepMs;
      schedule.at(schedule.nowMs + fromMs, () => {
        if (!faults.areOver) this.#isolate(name, untilMs - fromMs);
      });
    }
  }

  #pause(): void {
    const { faults, random } = this.#world;
    // Up to ten leases.
    const ms = random.chance(0.3) ? this.#world.between(10_000, 100_000) : this.#world.between(500, 10_000);
    if (faults.strikes('worker paused')) random.pick(this.#alive)?.node.pause(ms);
    const coordinator = this.#anyCoordinator();
    if (coordinator && faults.strikes('coordinator paused')) coordinator.node.pause(ms);
  }

  #turnClocks(): void {
    if (!this.#world.faults.strikes('clock jumps')) return;
    const node = this.#world.random.pick(this.#nodes);
    node?.turnClock(Math.floor(this.#world.between(-hourMs, hourMs)));
  }

  #troubleStore(): void {
    const { faults, disk } = this.#world;
    const ms = this.#world.between(1_000, 20_000);
    if (faults.strikes('store in a storm of 503')) disk.weather.storm(ms);
    if (faults.strikes('store slows everybody down')) disk.weather.slowDown(ms);
    if (!this.#isHasty && faults.strikes('store ignores conditions')) {
      this.#isLawless = true;
      disk.weather.ignoreConditions(ms);
    }
  }

  #troubleCoordinators(): void {
    const { faults, random } = this.#world;
    const { coordinators } = this.#cluster;
    const killed = this.#anyCoordinator();
    if (killed && faults.strikes('coordinator killed')) killed.node.kill();
    const stopped = this.#anyCoordinator();
    if (stopped && faults.strikes('coordinator stopped')) stopped.node.run(() => void stopped.close());
    if (!this.#isLawless && faults.strikes('coordinator deposed')) {
      this.#isHasty = true;
      const at = random.below(coordinators.length);
      // What it takes the lead from goes on until it sees that.
      if (coordinators[at] !== this.#cluster.leader) this.#cluster.startCoordinator(at, hastyLeaseMs);
    }
    if (faults.strikes('leader and half of the workers killed')) {
      this.#cluster.leader?.node.kill();
      for (const worker of this.#alive) if (random.chance(0.5)) worker.kill();
    }
  }

  async #troubleWorkers(): Promise<void> {
    const { faults, random } = this.#world;
    const { workers } = this.#cluster;
    const worker = random.pick(this.#alive);
    if (faults.strikes('worker killed')) {
      worker?.kill();
      worker?.loseDisk();
    } else if (faults.strikes('worker restarted')) worker?.kill();
    else if (faults.strikes('worker drained')) worker?.drain();
    if (worker?.isAlive && faults.strikes('run file damaged')) worker.damage('flip');
    if (worker?.isAlive && faults.strikes('run file gone')) worker.damage('remove');
    if (worker?.isAlive && faults.strikes('disk vanished')) worker.loseDisk();
    if (faults.strikes('worker added') && workers.length < workersMax) await this.#cluster.addWorker();
    // A supervisor starts again what has ended, in its time.
    for (const dead of workers) if (!dead.isAlive && random.chance(0.2)) await dead.start();
  }

  async #heal(): Promise<void> {
    const { network, disk } = this.#world;
    this.#world.trace('the faults are over');
    network.heal();
    disk.weather.clear();
    const stuck = this.#stuckForGood();
    for (const node of this.#nodes) if (node !== stuck) node.resume();
    stuck?.pause(hourMs);
    for (const dead of this.#cluster.workers) if (!dead.isAlive) await dead.start();
    while (this.#alive.filter(({ drains }) => !drains).length < workersMin) await this.#cluster.addWorker();
    this.#world.schedule.at(this.#world.schedule.nowMs + 3 * leaseMs, () => this.checkLead());
  }

  /** A coordinator that never goes on, while another one can lead: nobody may wait for it. */
  #stuckForGood(): SimNode | undefined {
    const nodes = this.#cluster.coordinators.map(({ node }) => node).filter(({ isAlive }) => isAlive);
    const canLead = nodes.some(({ isPaused }) => !isPaused);
    return canLead && this.#world.random.chance(0.5) ? nodes.find(({ isPaused }) => isPaused) : undefined;
  }

  /** Whoever was deposed has noticed, and whoever is left has taken the lead. */
  checkLead(): void {
    const names = this.#cluster.leaders
      .filter(({ node }) => !node.isPaused)
      .map(({ node, epoch }) => `${node.name} (epoch ${epoch})`);
    if (names.length !== 1) this.#world.checker.fail(`these lead: ${names.join(', ') || 'nobody'} (I11)`);
  }
}
