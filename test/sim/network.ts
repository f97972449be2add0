/** Connections between nodes: in order within a connection as TCP is, late, cut, and blocked one way or both. */
import type { SimNode } from './schedule.ts';
import type { World } from './world.ts';

const delayMsMin = 0.2;
const delayMsMax = 5;
/** Until a broken connection is noticed by a side that hears nothing of it. */
const silentBreakMsMax = 15_000;

export class Network {
  readonly #world: World;
  /** `a>b`: nothing passes from a to b until then. */
  readonly #blockedUntilMs = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** One way: block the other way too for a partition. */
  block(from: string, to: string, ms: number): void {
    this.#blockedUntilMs.set(`${from}>${to}`, this.#world.schedule.nowMs + ms);
  }

  heal(): void {
    this.#blockedUntilMs.clear();
  }

  blockedMs(from: string, to: string): number {
    const until = this.#blockedUntilMs.get(`${from}>${to}`) ?? 0;
    return Math.max(0, until - this.#world.schedule.nowMs);
  }

  delayMs(): number {
    const { faults } = this.#world;
    const late = faults.strikes('message late') ? this.#world.between(10, 3_000) : 0;
    return this.#world.between(delayMsMin, delayMsMax) + late;
  }
}

type Side = 'client' | 'server';

/** Between two processes. When it breaks each side is told in its own time, and until then takes what was on its way. */
export class Connection {
  readonly #world: World;
  readonly #nodes: Readonly<Record<Side, SimNode>>;
  readonly #isOpen: Record<Side, boolean> = { client: true, server: true };
  readonly #lastMs: Record<Side, number> = { client: 0, server: 0 };
  readonly #onClosed: (side: Side) => void;
  #isBroken = false;

  /** `onClosed`: this side has noticed that the connection is broken; called once per side. */
  constructor(world: World, client: SimNode, server: SimNode, onClosed: (side: Side) => void) {
    this.#world = world;
    this.#nodes = { client, server };
    this.#onClosed = onClosed;
    client.onKilled(() => this.#peerDied('server'));
    server.onKilled(() => this.#peerDied('client'));
  }

  send(to: Side, deliver: () => void): void {
    const { schedule, network, faults, random } = this.#world;
    if (this.#isBroken) return;
    if (faults.strikes('stream broken')) return this.breakUp();
    const from = to === 'client' ? 'server' : 'client';
    const blockedMs = network.blockedMs(this.#nodes[from].name, this.#nodes[to].name);
    // Sent again by TCP until it gives up.
    if (blockedMs > 0 && random.chance(0.5)) return this.breakUp();
    const atMs = Math.max(this.#lastMs[to], schedule.nowMs + blockedMs + network.delayMs());
    this.#lastMs[to] = atMs;
    schedule.at(atMs, () => this.#nodes[to].run(() => this.#isOpen[to] && deliver()));
  }

  breakUp(): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    const isSilent = this.#world.random.chance(0.3);
    this.#tell('client', isSilent ? silentBreakMsMax : 50);
    this.#tell('server', isSilent ? silentBreakMsMax : 50);
  }

  /** Ended by both: nobody is told. */
  finish(): void {
    this.#isBroken = true;
    this.#isOpen.client = false;
    this.#isOpen.server = false;
  }

  #peerDied(side: Side): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    // A host that is gone sends no reset.
    this.#tell(side, this.#world.random.chance(0.3) ? silentBreakMsMax : 50);
  }

  #tell(side: Side, withinMs: number): void {
    const { schedule } = this.#world;
    const atMs = Math.max(this.#lastMs[side], schedule.nowMs) + this.#world.between(0, withinMs);
    schedule.at(atMs, () =>
      this.#nodes[side].run(() => {
        if (!this.#isOpen[side]) return;
        this.#isOpen[side] = false;
        this.#onClosed(side);
      }),
    );
  }
}
