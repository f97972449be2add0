/** A worker as main.ts wires it, without sockets and threads: the real session, attempts, fetching and serving, and files in memory. */
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { toWorkerId, type WorkerId } from '../../lib/ids.ts';
import { noCredentials } from '../../lib/security/credentials.ts';
import { TicketKeys } from '../../lib/security/ticket.ts';
import { Attempts } from '../../worker/control/attempts.ts';
import { ScratchBudget } from '../../worker/control/scratch-budget.ts';
import { Session } from '../../worker/control/session.ts';
import { MapOutputs } from '../../worker/shuffle/outputs.ts';
import { createShuffleHandlers } from '../../worker/shuffle/serve.ts';
import type { SlotPool } from '../../worker/user/slot-pool.ts';
import { simulated } from './faults.ts';
import { openPeers } from './fetch-link.ts';
import { SimNode } from './schedule.ts';
import { openSessionClient } from './session-link.ts';
import { SimPool } from './sim-pool.ts';
import type { World } from './world.ts';

const slots = 2;
const disk = { totalBytes: 2 ** 40, freeBytes: 2 ** 39 };

export class SimWorker {
  readonly name: string;
  readonly directory: string;
  node: SimNode;
  outputs = new MapOutputs();
  /** It takes nothing new. */
  drains = false;
  readonly #world: World;
  readonly #coordinators: string;
  #session: Session | undefined;
  #attempts: Attempts | undefined;
  #budget: ScratchBudget | undefined;
  #incarnations = 0;

  /** `coordinators`: HOST:PORT each, with commas. */
  constructor(world: World, name: string, coordinators: string) {
    this.#world = world;
    this.#coordinators = coordinators;
    this.name = name;
    this.directory = join(world.directory, name);
    this.node = new SimNode(world.schedule, name, 0);
    this.node.kill();
  }

  get isAlive(): boolean {
    return this.node.isAlive;
  }

  get workerId(): WorkerId | undefined {
    return this.#attempts?.workerId;
  }

  /** Nothing runs here and nothing is kept for anybody. */
  get isIdle(): boolean {
    return this.#attempts?.isIdle() ?? true;
  }

  async start(): Promise<void> {
    const world = this.#world;
    const node = new SimNode(world.schedule, this.name, world.drawSkewMs());
    this.node = node;
    this.drains = false;
    try {
      await this.#begin(node);
    } catch (error) {
      if (!String(error).includes(simulated)) throw error;
      this.#exit(node, String(error));
    }
  }

  async #begin(node: SimNode): Promise<void> {
    const world = this.#world;
    const { log } = world;
    const outputs = new MapOutputs();
    this.outputs = outputs;
    const stores = world.disk.storesFor(node);
    const ticketKeys = new TicketKeys(node);
    const budget = await ScratchBudget.open({
      directory: this.directory,
      limitBytes: undefined,
      clock: node,
      readDisk: async () => disk,
    });
    this.#budget = budget;
    const attempts: Attempts = new Attempts({
      clock: node,
      log,
      slots,
      pool: new SimPool(world, node, stores, slots) as unknown as SlotPool,
      outputs,
      channels: openPeers(world, node),
      ticketKeys,
      stores,
      budget,
      newWorkerId: () => toWorkerId(`${this.name}-${this.#incarnations++}`),
      reports: () => session,
      onTaskDone: () => undefined,
    });
    this.#attempts = attempts;
    const shuffle = createShuffleHandlers(outputs, ticketKeys, () => attempts.workerId);
    world.servers.set(this.name, { node, shuffle });
    world.workers.set(this.name, this);
    const session: Session = new Session({
      coordinator: this.#coordinators,
      credentials: noCredentials,
      workerId: attempts.workerId,
      slots,
      fetchAddress: `${this.name}:7070`,
      home: createHash('sha256').update(this.name).digest('hex'),
      softwareVersion: '0',
      clock: node,
      log,
      handlers: world.checker.obeys(node, attempts),
      diagnose: async () => [],
      onServing: () => undefined,
      joinTimeoutMs: 0,
      openClient: (address) => openSessionClient(world, node, address),
    });
    this.#session = session;
    session.ended.then(
      () =>
        attempts.close().then(() => {
          node.hasLeft = node.isAlive;
          this.#exit(node, 'done');
        }),
      (error) => this.#exit(node, String(error)),
    );
  }

  #exit(node: SimNode, why: string): void {
    if (!node.isAlive) return;
    this.#world.trace(`${this.name} exits: ${why}`);
    this.#world.count('worker exited');
    this.kill();
  }

  drain(): void {
    this.drains = true;
    this.node.run(() => this.#session?.drain());
  }

  /** As by SIGKILL: what is on its disk stays. */
  kill(): void {
    this.#world.trace(`${this.name} is killed`);
    this.node.kill();
    this.#budget?.close();
    this.outputs.removeAll();
    this.#disown();
  }

  /** All workers of a simulation are one process, and only the scratch folder of a dead one is taken over. */
  #disown(): void {
    const { files } = this.#world;
    for (const path of files.filesBelow(this.directory)) {
      if (basename(path) !== 'owner.json') continue;
      const owner = JSON.parse(files.read(path).toString()) as object;
      files.write(path, Buffer.from(JSON.stringify({ ...owner, processStartedAtMs: 0 })));
    }
  }

  loseDisk(): void {
    this.#world.files.remove(this.directory);
  }

  /** Flips a bit of a run file, or removes it. False when there is none. */
  damage(how: 'flip' | 'remove'): boolean {
    const { random, files } = this.#world;
    const path = random.pick(files.filesBelow(this.directory).filter((one) => one.endsWith('.run')));
    if (path === undefined) return false;
    if (how === 'remove') files.remove(path);
    else files.write(path, flipBit(files.read(path), random.below.bind(random)));
    return true;
  }
}

function flipBit(bytes: Buffer, below: (n: number) => number): Buffer {
  const at = below(bytes.length);
  bytes[at] = bytes[at]! ^ (1 << below(8));
  return bytes;
}
