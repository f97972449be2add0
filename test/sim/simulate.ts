/** One seed: sets the scene, lets time pass until every job has ended, and looks at what is left. */
import { setImmediate as turn } from 'node:timers/promises';
import { toJobId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import { Violation } from './checker.ts';
import { Cluster } from './cluster.ts';
import { failingDisk } from './failing-disk.ts';
import { faultsUntilMs } from './faults.ts';
import { SimJob } from './sim-job.ts';
import type { SimWorker } from './sim-worker.ts';
import { smallBuffers } from './small-buffers.ts';
import { steadyProcess } from './steady-process.ts';
import { Trouble } from './trouble.ts';
import { World, type WorldOptions } from './world.ts';

export interface Outcome {
  readonly seed: number;
  readonly traceHash: string;
  /** Undefined when all invariants held. */
  readonly violation: string | undefined;
  readonly events: number;
  readonly virtualMs: number;
  readonly coverage: ReadonlyMap<string, number>;
}

/** After the faults every job has this long to end. */
const livenessMs = 10 * 60_000;
/** What is still to be tidied away when the last job has ended. */
const settleMs = 60_000;
const eventsMax = 60_000;

export async function simulate(seed: number, options: WorldOptions = {}): Promise<Outcome> {
  const world = new World(seed, options);
  const undoSteady = steadyProcess(seed ^ 0x71773);
  const undoDisk = failingDisk(world);
  const undoBuffers = smallBuffers(world.random);
  const undo = options.mutant?.patch?.();
  try {
    await play(world);
  } catch (error) {
    world.checker.fail(error instanceof Violation ? error.message : String((error as Error).stack ?? error));
  } finally {
    undo?.();
    undoBuffers();
    undoDisk();
    undoSteady();
  }
  return {
    seed,
    traceHash: world.traceHash,
    violation: world.checker.violation?.message,
    events: world.steps,
    virtualMs: world.schedule.nowMs,
    coverage: world.coverage,
  };
}

async function play(world: World): Promise<void> {
  const cluster = await setScene(world);
  const trouble = new Trouble(world, cluster);
  trouble.start();
  const jobs = [...world.jobs.values()];
  const { checker, faults } = world;
  const isOver = () => faults.areOver && (checker.isTorn || jobs.every((job) => cluster.hasEnded(job)));
  const isOnTime = await passTime(world, isOver, faultsUntilMs + livenessMs);
  if (checker.violation) return;
  if (checker.isTorn) return world.count('journal torn by a store that ignored conditions');
  if (!isOnTime) return checker.fail(`${describeStuck(cluster)} (I11)`);
  const untilMs = world.schedule.nowMs + settleMs;
  await passTime(world, () => false, untilMs);
  // What the store did not remove at first is tried again later.
  if ((await checker.copiesLeft()).length > 0)
    await passTime(world, () => false, world.schedule.nowMs + limits.copiesLingerMs);
  trouble.checkLead();
  await checker.atEnd(cluster.coordinator.state);
  for (const worker of cluster.workers) if (worker.isAlive) checkWorker(world, cluster, worker);
  for (const worker of cluster.workers) if (worker.isAlive) worker.kill();
}

function checkWorker({ checker }: World, { coordinator }: Cluster, worker: SimWorker): void {
  const { name, workerId, isIdle } = worker;
  if (!isIdle) checker.fail(`${name} still holds something of a job that has ended`);
  if (!workerId || !coordinator.state.workers.get(workerId)?.connected)
    checker.fail(`${name} has not come back (I11)`);
}

async function setScene(world: World): Promise<Cluster> {
  const { random, schedule } = world;
  const cluster = new Cluster(world);
  cluster.startCoordinators();
  await passTime(world, () => cluster.leader !== undefined, faultsUntilMs);
  for (let count = 2 + random.below(4); count > 0; count--) await cluster.addWorker();
  for (let at = 0; at < 1 + random.below(3); at++) {
    const job = new SimJob(toJobId(`job${at}`), random);
    world.jobs.set(job.jobId, job);
    for (const [key, text] of job.inputs) await world.disk.plain.put(key, Buffer.from(text));
    schedule.at(world.between(0, 20_000), () => cluster.submit(job));
  }
  return cluster;
}

/** False when time ran out. */
async function passTime(world: World, isOver: () => boolean, untilMs: number): Promise<boolean> {
  while (!isOver()) {
    if (world.checker.violation) return true;
    if (world.schedule.nowMs > untilMs || world.steps++ > eventsMax || !world.schedule.next()) return false;
    await settle(world.steps);
  }
  return true;
}

/** What the process itself has open, and timers of the test runner; all else is work that an event began. */
const standing = new Set(['MessagePort', 'PipeWrap', 'ProcessWrap', 'TCPSocketWrap', 'TTYWrap', 'Timeout']);
/** So many events are handled in one turn of the event loop: turns cost more than most events. */
const eventsPerTurn = 64;

/**
 * What an event began is done before the next: promises, of which all that follow from one another are through before a tick comes, and
 * what they left for the next tick. Nothing here is left to the event loop but what is no work of a simulated process, such as messages to this one.
 */
async function settle(steps: number): Promise<void> {
  await tick();
  await tick();
  if (steps % eventsPerTurn !== 0) return;
  do await turn();
  while (process.getActiveResourcesInfo().some((name) => !standing.has(name)));
}

function tick(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

function describeStuck({ coordinator }: Cluster): string {
  const stuck = [...coordinator.state.activeJobs].map(({ spec, phase, map, reduce }) => {
    const counts = `${map.done}/${map.total} maps, ${reduce.done}/${reduce.total} reduces`;
    return `${spec.jobId} is ${phase.name} with ${counts}`;
  });
  return `not all jobs ended after the faults: ${stuck.join('; ') || 'a job was lost'}`;
}
