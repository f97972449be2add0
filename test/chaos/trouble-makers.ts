/** What the soak does to the programs of a cluster while jobs run: by a seed, though what it meets is up to the machine. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosCluster } from './chaos-cluster.ts';

export interface TroubleOptions {
  /** Between two kills of workers, from and to. */
  readonly workerKillMs: readonly [number, number];
  /** Between two troubles of the leader. */
  readonly leaderKillMs: number;
  /** Numbers in [0, 1). */
  readonly random: () => number;
}

export interface Troubles {
  workersKilled: number;
  /** Of these, with what was on their disks. */
  disksLost: number;
  leadersKilled: number;
  /** Stopped for three leases, and continued. */
  leadersStopped: number;
}

/** The share of killed workers that lose their disk. */
const diskLossShare = 1 / 3;

export class TroubleMakers {
  readonly done: Troubles = { workersKilled: 0, disksLost: 0, leadersKilled: 0, leadersStopped: 0 };
  readonly #cluster: ChaosCluster;
  readonly #options: TroubleOptions;

  constructor(cluster: ChaosCluster, options: TroubleOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** Until the signal aborts; whoever is stopped then goes on before it resolves. */
  async make(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#killWorkers(signal), this.#troubleLeaders(signal)]);
  }

  /** The first worker is spared: on it one sees what stays behind. */
  async #killWorkers(signal: AbortSignal): Promise<void> {
    const { workerKillMs, random } = this.#options;
    const [from, to] = workerKillMs;
    const mortal = this.#cluster.workers.slice(1);
    while (await waited(from + random() * (to - from), signal)) {
      const worker = mortal[Math.floor(random() * mortal.length)]!;
      if (!worker.isUp) continue;
      const withDisk = random() < diskLossShare;
      this.#cluster.killWorker(worker, { withDisk });
      this.done.workersKilled++;
      if (withDisk) this.done.disksLost++;
    }
  }

  /** Killed and stopped in turns. */
  async #troubleLeaders(signal: AbortSignal): Promise<void> {
    const { leaderKillMs } = this.#options;
    while (await waited(leaderKillMs, signal)) {
      const leader = await this.#cluster.leader().catch(() => undefined);
      if (!leader?.isUp) continue;
      if (this.done.leadersKilled <= this.done.leadersStopped) {
        leader.signal('SIGKILL');
        this.done.leadersKilled++;
      } else {
        leader.signal('SIGSTOP');
        this.done.leadersStopped++;
        await waited(3 * this.#cluster.options.leaseMs, signal);
        leader.signal('SIGCONT');
      }
    }
  }
}

/** False when the signal aborts first. */
async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}
