/** A coordinator and workers of a fraction of a processor each, that sort in folders: where one sees what losing some of many workers costs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobView } from '../../lib/job-view.ts';
import { type Client, connect } from '../../sdk/client.ts';
import { waitFor } from '../e2e/cluster.ts';
import { Supervised } from '../process-supervisor.ts';
import { startOrDispose } from '../start-or-dispose.ts';
import { until } from '../until.ts';
import { CpuGroup } from './cpu-group.ts';

const sortJob = join(import.meta.dirname, '../../examples/sort.ts');

export interface SortOptions {
  readonly workers: number;
  /** Of a processor, for each worker. */
  readonly coresEach: number;
  readonly maps: number;
  readonly reducers: number;
}

export type Disk = 'disk kept' | 'disk lost';

export interface SortRun {
  readonly seconds: number;
  readonly view: JobView;
  /** The folder with the parts. */
  readonly output: string;
}

export class SortCluster implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-sort-'));
  readonly #options: SortOptions;
  readonly #programs: Supervised[] = [];
  readonly #groups: CpuGroup[] = [];
  #client: Client | undefined;
  #runs = 0;

  private constructor(options: SortOptions) {
    this.#options = options;
  }

  static async start(options: SortOptions): Promise<SortCluster> {
    const cluster = new SortCluster(options);
    return await startOrDispose(cluster, () => cluster.#start());
  }

  get #workers(): readonly Supervised[] {
    return this.#programs.slice(1);
  }

  /** Sorts it; with `kill`, one worker dies when half of the maps are done, and is started again at once, on its disk or on an empty one. */
  async sort(input: string, kill?: Disk): Promise<SortRun> {
    await this.#untilAllAreReady();
    const { maps, reducers } = this.#options;
    const output = join(this.folder, `out-${++this.#runs}`);
    const startedMs = performance.now();
    const handle = await this.#client!.submit(sortJob, { input: [input], output, maps, reducers });
    if (kill) {
      await waitFor(handle, ({ map }) => map.done >= maps / 2 && map.running >= 1);
      const [victim] = this.#workers;
      if (kill === 'disk lost') rmSync(this.#scratchOf(victim!.name), { recursive: true, force: true });
      victim!.signal('SIGKILL');
      await this.#limit(victim!, victim!.lives + 1);
    }
    const view = await handle.wait();
    if (view.state !== 'COMPLETED') throw new Error(`the sort is ${view.state}: ${view.cause?.message}`);
    return { seconds: (performance.now() - startedMs) / 1000, view, output };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
    await Promise.all(this.#programs.map((program) => program[Symbol.asyncDispose]()));
    await Promise.all(this.#groups.map((group) => group[Symbol.asyncDispose]()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const store = `file://${join(this.folder, 'store')}`;
    const places = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '--store', store];
    const args = () => ['coordinator', ...places, '--json'];
    const coordinator = await Supervised.start({ name: 'coordinator', args });
    this.#programs.push(coordinator);
    this.#client = connect({ coordinator: coordinator.listening });
    for (let i = 1; i <= this.#options.workers; i++)
      await this.#startWorker(`worker-${i}`, coordinator.listening);
  }

  async #startWorker(name: string, coordinator: string): Promise<void> {
    const places = ['--coordinator', coordinator, '--listen', '127.0.0.1:0', '--dir', this.#scratchOf(name)];
    const args = () => ['worker', ...places, '--slots', '1', '--json'];
    const worker = await Supervised.start({ name, args });
    this.#programs.push(worker);
    this.#groups.push(new CpuGroup(`millrace-${process.pid}-${name}`, this.#options.coresEach));
    await this.#limit(worker, 1);
  }

  /** Starts are not limited: what is measured is the sort. */
  async #limit(worker: Supervised, life: number): Promise<void> {
    await worker.untilUp(life);
    this.#groups[this.#workers.indexOf(worker)]!.add(worker.pid!);
  }

  #scratchOf(name: string): string {
    return join(this.folder, name);
  }

  async #untilAllAreReady(): Promise<void> {
    await until('all workers are ready', async () => {
      const workers = await this.#client!.workers();
      return workers.length === this.#options.workers && workers.every(({ state }) => state === 'ready');
    });
  }
}
