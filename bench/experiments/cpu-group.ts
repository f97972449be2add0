/** Processes that share so much of a processor, by the kernel's cgroups (version 1 or 2). Linux and root only. */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = '/sys/fs/cgroup';
/** Short, so that a limited process is slow rather than fast and then held for a tenth of a second; */
const periodUsMin = 20_000;
/** but the kernel does not give out less than 1 ms at a time. */
const quotaUsMin = 2_000;
const emptyTriesMax = 50;

export class CpuGroup implements AsyncDisposable {
  readonly #folder: string;

  /**
   * `cores`: 0.5 for half of one. What else runs on the machine hardly takes from that. Throws where there are no cgroups that this process
   * may change.
   */
  constructor(name: string, cores: number) {
    const periodUs = Math.round(Math.max(periodUsMin, quotaUsMin / cores));
    const quotaUs = Math.round(cores * periodUs);
    const isVersion2 = existsSync(join(root, 'cgroup.controllers'));
    this.#folder = join(root, isVersion2 ? '' : 'cpu', name);
    if (isVersion2) writeFileSync(join(root, 'cgroup.subtree_control'), '+cpu');
    mkdirSync(this.#folder);
    if (isVersion2) {
      this.#write('cpu.max', `${quotaUs} ${periodUs}`);
      this.#write('cpu.weight', '10000');
    } else {
      this.#write('cpu.cfs_period_us', String(periodUs));
      this.#write('cpu.cfs_quota_us', String(quotaUs));
      this.#write('cpu.shares', '262144');
    }
  }

  /** The process with all its threads, and what it starts from now on. */
  add(pid: number): void {
    this.#write('cgroup.procs', String(pid));
  }

  /** Once all its processes have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return rmdirSync(this.#folder);
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code !== 'EBUSY' || tries >= emptyTriesMax) throw thrown;
        await sleep(100);
      }
    }
  }

  #write(file: string, text: string): void {
    writeFileSync(join(this.#folder, file), text);
  }
}
