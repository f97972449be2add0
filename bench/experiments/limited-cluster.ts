/**
 * A coordinator and workers as processes of their own, on folders: each worker with a fraction of a processor, so that many of them scale on a
 * small machine, or without a limit. The coordinator and the client are outside the limits.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { JobView } from '../../lib/job-view.ts';
import { type Client, connect } from '../../sdk/client.ts';
import type { JobHandle } from '../../sdk/handle.ts';
import { Supervised } from '../../test/process-supervisor.ts';
import { startOrDispose } from '../../test/start-or-dispose.ts';
import { until } from '../../test/until.ts';
import { CpuGroup } from './cpu-group.ts';

export interface ClusterShape {
  readonly workers: number;
  /** Of a processor, for each worker; undefined: no limit. */
  readonly coresEach?: number | undefined;
  /** Of each worker; default 1. */
  readonly slots?: number;
  readonly coordinatorFlags?: readonly string[];
}

/** What the client submits. */
export interface Work {
  /** A job file. */
  readonly job: string;
  readonly input: readonly string[];
  readonly maps: number;
  readonly reducers: number;
}

export interface Run {
  /** From the submit to the end. */
  readonly seconds: number;
  readonly view: JobView;
  /** Of all parts, in order. */
  readonly digest: string;
}

interface Member {
  readonly program: Supervised;
  readonly scratch: string;
  cores: number | undefined;
  group: CpuGroup | undefined;
}

export class LimitedCluster implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'millrace-cluster-'));
  readonly #shape: ClusterShape;
  readonly #members: Member[] = [];
  #coordinator: Supervised | undefined;
  #client: Client | undefined;
  #runs = 0;
  #groups = 0;

  private constructor(shape: ClusterShape) {
    this.#shape = shape;
  }

  /** Resolves when all workers have joined. */
  static async start(shape: ClusterShape): Promise<LimitedCluster> {
    const cluster = new LimitedCluster(shape);
    return await startOrDispose(cluster, () => cluster.#start());
  }

  get client(): Client {
    return this.#client!;
  }

  /** The coordinator's, a folder. */
  get store(): string {
    return join(this.folder, 'store');
  }

  /**
   * Submits it when all workers are ready, and waits for its end; `during` may look at it and disturb it meanwhile. The output is removed.
   * Throws when the job does not complete.
   */
  async run(
    { job, input, maps, reducers }: Work,
    during?: (handle: JobHandle<unknown>) => Promise<void>,
  ): Promise<Run> {
    await this.#untilAllAreReady();
    const output = join(this.folder, `out-${++this.#runs}`);
    const startedMs = performance.now();
    const handle = await this.client.submit(job, { input: [...input], output, maps, reducers });
    const [view] = await Promise.all([handle.wait(), during?.(handle)]);
    const seconds = (performance.now() - startedMs) / 1000;
    if (view.state !== 'COMPLETED') throw new Error(`the job is ${view.state}: ${view.cause?.message}`);
    const digest = digestOf(output);
    rmSync(output, { recursive: true });
    return { seconds, view, digest };
  }

  /** Kills worker number `index`, and starts it again at once: on its disk, or on an empty one. Its start is not limited. */
  async restartWorker(index: number, disk: 'disk kept' | 'disk lost'): Promise<void> {
    const { program, scratch } = this.#members[index]!;
    const life = program.lives + 1;
    program.signal('SIGKILL');
    if (disk === 'disk lost') rmSync(scratch, { recursive: true, force: true });
    await program.untilUp(life);
    this.#limit(index);
  }

  /** From now on worker number `index` has so much of a processor. */
  async setCores(index: number, cores: number | undefined): Promise<void> {
    const member = this.#members[index]!;
    if (cores === member.cores) return;
    const before = member.group;
    const name = `${basename(this.folder)}-${this.#groups++}`;
    member.group = cores === undefined ? undefined : new CpuGroup(name, cores);
    member.cores = cores;
    this.#limit(index);
    await before?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.[Symbol.asyncDispose]();
    const programs = [this.#coordinator, ...this.#members.map(({ program }) => program)];
    await Promise.all(programs.map((program) => program?.[Symbol.asyncDispose]()));
    await Promise.all(this.#members.map(({ group }) => group?.[Symbol.asyncDispose]()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const store = `file://${this.store}`;
    const places = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '--store', store, '--json'];
    const args = () => ['coordinator', ...places, ...(this.#shape.coordinatorFlags ?? [])];
    this.#coordinator = await Supervised.start({ name: 'coordinator', args });
    this.#client = connect({ coordinator: this.#coordinator.listening });
    for (let index = 0; index < this.#shape.workers; index++) await this.#startWorker(index);
    await this.#untilAllAreReady();
  }

  async #startWorker(index: number): Promise<void> {
    const name = `worker-${index}`;
    const scratch = join(this.folder, name);
    const places = [
      '--coordinator',
      this.#coordinator!.listening,
      '--listen',
      '127.0.0.1:0',
      '--dir',
      scratch,
    ];
    const args = () => ['worker', ...places, '--slots', String(this.#shape.slots ?? 1), '--json'];
    const program = await Supervised.start({ name, args });
    this.#members.push({ program, scratch, cores: undefined, group: undefined });
    await this.setCores(index, this.#shape.coresEach);
  }

  #limit(index: number): void {
    const { group, program } = this.#members[index]!;
    group?.add(program.pid!);
  }

  async #untilAllAreReady(): Promise<void> {
    await until('all workers are ready', async () => {
      const workers = await this.client.workers();
      return workers.length === this.#shape.workers && workers.every(({ state }) => state === 'ready');
    });
  }
}

/** Resolves at the first view that is wanted. Throws when the job ends without it. */
export async function untilView(
  handle: JobHandle<unknown>,
  wanted: (view: JobView) => boolean,
): Promise<void> {
  for await (const view of handle.watch()) if (wanted(view)) return;
  throw new Error(`job ${handle.id} ended before it was disturbed`);
}

function digestOf(output: string): string {
  const hash = createHash('sha256');
  const parts = readdirSync(output).filter((name) => name.startsWith('part-'));
  for (const name of parts.sort()) hash.update(readFileSync(join(output, name)));
  return hash.digest('hex');
}
