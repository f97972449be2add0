/** What all parts of one simulation share. */
import { createHash } from 'node:crypto';
import { createLog, type Log, type LogLevel } from '../../lib/log.ts';
import type { ShuffleHandlers } from '../../proto/gen/millrace/v1/Shuffle.ts';
import type { WorkerControlHandlers } from '../../proto/gen/millrace/v1/WorkerControl.ts';
import { Random } from '../core/fake-cluster.ts';
import { Checker } from './checker.ts';
import { type FaultPlan, Faults } from './faults.ts';
import { MemoryFiles } from './memory-files.ts';
import type { Mutant } from './mutants.ts';
import { Network } from './network.ts';
import { Schedule, type SimNode } from './schedule.ts';
import type { SimJob } from './sim-job.ts';
import { SimDisk } from './sim-store.ts';
import type { SimWorker } from './sim-worker.ts';

/** Of all disks: no real folder. */
const directory = '/disks-of-a-simulation';

/** Characters of the trace that are hashed at once. */
const unhashedMax = 64 * 1024;

/** Who answers at an address now. */
export interface Server {
  readonly node: SimNode;
  readonly control?: WorkerControlHandlers;
  readonly shuffle?: ShuffleHandlers;
}

export class World {
  readonly seed: number;
  readonly random: Random;
  readonly schedule = new Schedule();
  readonly faults: Faults;
  readonly network: Network;
  readonly checker: Checker;
  readonly disk: SimDisk;
  readonly jobs = new Map<string, SimJob>();
  /** By host name. */
  readonly servers = new Map<string, Server>();
  /** By host name, dead ones too. */
  readonly workers = new Map<string, SimWorker>();
  readonly log: Log;
  readonly mutant: Mutant | undefined;
  /** What is below `directory`. */
  readonly files = new MemoryFiles(directory);
  /** For the scratch folders of all workers. */
  readonly directory = directory;
  readonly coverage = new Map<string, number>();
  readonly #print: ((line: string) => void) | undefined;
  readonly #hash = createHash('sha256');
  #unhashed = '';
  steps = 0;

  constructor(seed: number, options: WorldOptions) {
    this.seed = seed;
    this.mutant = options.mutant;
    this.#print = options.print;
    this.log = createLog('sim', options.logLevel ?? 'silent');
    this.random = new Random(seed);
    const count = (what: string) => this.count(what);
    this.faults = new Faults(new Random(seed ^ 0x5eed), this.schedule, count, options.plan);
    this.network = new Network(this);
    this.checker = new Checker(this);
    this.disk = new SimDisk(this);
  }

  /** Everything that happens, in order: two runs of one seed must say the same. `bytes` belong to it, and are shown as `show` has it. */
  trace(text: string, bytes?: Buffer, show?: () => string): void {
    const head = `${this.schedule.nowMs.toFixed(3)} ${text}`;
    this.#unhashed += `${head}${bytes?.toString('latin1') ?? ''}\n`;
    if (this.#unhashed.length > unhashedMax) this.#hashRest();
    this.#print?.(`${head}${show?.() ?? ''}\n`);
  }

  get traceHash(): string {
    this.#hashRest();
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  #hashRest(): void {
    this.#hash.update(this.#unhashed, 'latin1');
    this.#unhashed = '';
  }

  count(what: string): void {
    this.coverage.set(what, (this.coverage.get(what) ?? 0) + 1);
  }

  /** How wrong the wall clock of a process is that starts. */
  drawSkewMs(): number {
    return this.random.chance(0.3) ? Math.floor(this.between(-100_000, 100_000)) : 0;
  }

  between(min: number, max: number): number {
    return min + this.random.next() * (max - min);
  }
}

export interface WorldOptions {
  readonly mutant?: Mutant | undefined;
  /** Instead of the faults that the seed would draw. */
  readonly plan?: FaultPlan | undefined;
  readonly logLevel?: LogLevel | undefined;
  /** Given each line of the trace. */
  readonly print?: ((line: string) => void) | undefined;
}
