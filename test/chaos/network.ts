/** The network of a test: nodes with names, a proxy before each that is dialled, and a fault for any pair of nodes and direction. */
import { ownerOf } from './connection-owner.ts';
import { Lane, type LaneFault } from './lane.ts';
import { TcpProxy } from './tcp-proxy.ts';

/** Of the process that runs the test, as a node. */
export const clientNode = 'client';

export class Network implements AsyncDisposable {
  readonly #proxies = new Map<string, TcpProxy>();
  readonly #targets = new Map<string, () => string | undefined>();
  /** By `FROM TO`. */
  readonly #lanes = new Map<string, Lane>();
  /** Connections whose owner was not found: gone before one could look. */
  strangers = 0;

  /** A node that others dial; `at` gives HOST:PORT where it listens now. Returns what they are told instead. */
  async expose(node: string, at: () => string | undefined): Promise<string> {
    this.#targets.set(node, at);
    const proxy = await TcpProxy.start({
      target: () => this.#targets.get(node)?.(),
      lanesOf: (remotePort, localPort) => {
        const caller = ownerOf(remotePort, localPort, clientNode);
        if (caller !== undefined) return { forth: this.lane(caller, node), back: this.lane(node, caller) };
        this.strangers++;
        return undefined;
      },
    });
    this.#proxies.set(node, proxy);
    return proxy.address;
  }

  lane(from: string, to: string): Lane {
    const name = `${from} ${to}`;
    const lane = this.#lanes.get(name) ?? new Lane();
    this.#lanes.set(name, lane);
    return lane;
  }

  oneWay(from: string, to: string, fault: LaneFault): void {
    this.lane(from, to).set(fault);
  }

  /** Both ways, between each of the first and each of the second; a node and itself are left alone. */
  between(some: readonly string[], others: readonly string[], fault: LaneFault): void {
    for (const one of some)
      for (const other of others) {
        if (one === other) continue;
        this.oneWay(one, other, fault);
        this.oneWay(other, one, fault);
      }
  }

  /** Everything is as it should be. */
  heal(): void {
    for (const lane of this.#lanes.values()) lane.set(undefined);
  }

  /** What went between nodes so far, by `FROM TO`: of lanes that something went through. */
  passed(): Map<string, number> {
    const all = [...this.#lanes].map(([name, { passedBytes }]) => [name, passedBytes] as const);
    return new Map(all.filter(([, bytes]) => bytes > 0));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.heal();
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy[Symbol.asyncDispose]()));
  }
}
