/**
 * Jobs back to back on one cluster while its programs are killed and its store fails now and then. Every output is compared with an oracle, and
 * at each rest, once a minute, nothing of what was done may have stayed behind.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../bench/generators/seeded-random.ts';
import { MillraceError } from '../../lib/errors.ts';
import { partName } from '../../lib/formats.ts';
import type { Fault } from '../faults/fault-proxy.ts';
import type { Minio } from '../minio/start-minio.ts';
import { untilNone } from '../until.ts';
import { ChaosCluster } from './chaos-cluster.ts';
import { untilNothingStaged } from './count-job.ts';
import { type Resources, resourcesOf } from './resources.ts';
import { prepareSoakJobs, type SoakJob } from './soak-jobs.ts';
import { TroubleMakers, type Troubles } from './trouble-makers.ts';

export interface SoakOptions {
  /** From one rest to the next. */
  readonly roundMs: number;
  readonly rounds: number;
  readonly workerKillMs: readonly [number, number];
  readonly leaderKillMs: number;
  /** Jobs under way at once. */
  readonly streams: number;
  readonly seed: number;
  onRound(round: SoakRound): void;
}

export interface SoakRound {
  readonly minute: number;
  /** Since the beginning. */
  readonly jobsDone: number;
  /** Jobs with a task that three workers died on, one after the other: by the rules it is the task's fault, and the job fails and says so. */
  readonly givenUp: number;
  readonly mapReruns: number;
  readonly troubles: Troubles;
  readonly storeFaults: number;
  /** From the end of the last job until all workers were there and all slots free. */
  readonly restSeconds: number;
  /** Of the worker that is never killed, and of the coordinator that leads. */
  readonly worker: Resources;
  readonly leader: Resources;
  /** Of all workers together. */
  readonly scratchBytes: number;
  /** Of the coordinators, without what is kept of jobs by design. */
  readonly journalObjects: number;
}

const storeFaultShare = 0.05;
const storeFaults: readonly Fault[] = [
  { kind: 'answer', status: 503, code: 'SlowDown' },
  { kind: 'answer', status: 500, code: 'InternalError' },
  { kind: 'lose-answer' },
];
const jobTimeoutMs = 180_000;
const submitTimeoutMs = 60_000;
const restTimeoutMs = 60_000;
/** Connections to others come and go; what leaks goes on growing. */
const descriptorsSlack = 12;
/** Memory settles within the first rounds; later it may be so many times the most of these. */
const settlingRounds = 5;
const settledRssFactor = 1.5;

export class Soak implements AsyncDisposable {
  readonly #options: SoakOptions;
  readonly cluster: ChaosCluster;
  readonly #jobs: readonly SoakJob[];
  readonly #random: () => number;
  readonly #troubles: TroubleMakers;
  #submitted = 0;
  /** Keys of the parts of this round's outputs. */
  #parts: string[] = [];
  #jobsDone = 0;
  #givenUp = 0;
  #mapReruns = 0;
  /** What the worker that is never killed had at each rest. */
  readonly #worker: Resources[] = [];

  private constructor(options: SoakOptions, cluster: ChaosCluster, jobs: readonly SoakJob[]) {
    this.#options = options;
    this.cluster = cluster;
    this.#jobs = jobs;
    const random = seededRandom(options.seed);
    this.#random = () => random() / 2 ** 32;
    this.#troubles = new TroubleMakers(cluster, { ...options, random: this.#random });
  }

  static async start(minio: Minio, options: SoakOptions): Promise<Soak> {
    const times = { leaseMs: 2_000, heartbeatTimeoutMs: 3_000 };
    const cluster = await ChaosCluster.start(minio, { workers: 4, slots: 2, direct: true, ...times });
    try {
      const soak = new Soak(options, cluster, await prepareSoakJobs(cluster.bucket));
      cluster.requests.failSome(storeFaultShare, storeFaults, soak.#random);
      return soak;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Throws at the first wrong output, failed or stuck job, and at whatever stayed behind. */
  async run(): Promise<void> {
    for (let round = 1; round <= this.#options.rounds; round++) {
      const deadline = AbortSignal.timeout(this.#options.roundMs);
      const streams = Array.from({ length: this.#options.streams }, () => this.#runJobs(deadline));
      await Promise.all([this.#troubles.make(deadline), ...streams]);
      const startedMs = performance.now();
      await this.cluster.untilAtRest(restTimeoutMs);
      await untilNothingStaged(this.cluster.bucket, this.#parts, restTimeoutMs);
      this.#parts = [];
      await this.#untilSettled();
      const rested = await this.#look(round, (performance.now() - startedMs) / 1000);
      this.#options.onRound(rested);
      await this.#emptyBucket();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
  }

  async #runJobs(deadline: AbortSignal): Promise<void> {
    while (!deadline.aborted) {
      const job = this.#jobs[Math.floor(this.#random() * this.#jobs.length)]!;
      await this.#runJob(job);
    }
  }

  async #runJob(job: SoakJob): Promise<void> {
    const { bucket } = this.cluster;
    const { handle, output } = await this.#submit(job);
    const view = await handle.wait({ signal: AbortSignal.timeout(jobTimeoutMs) }).catch((error) => {
      throw new Error(`${job.name} (${handle.id}) did not end: ${error}`);
    });
    const name = `${job.name} (${handle.id})`;
    if (view.cause?.failure?.kind === 'worker-lost') {
      const left = await bucket.keys(output);
      if (left.length > 0) throw new Error(`${name} failed, and left ${left.join(', ')}`);
      this.#givenUp++;
      return;
    }
    if (view.state !== 'COMPLETED')
      throw new Error(`${name} is ${view.state}: ${JSON.stringify(view.cause)}`);
    const parts = await bucket.parts(output);
    if (Object.keys(parts).length !== job.reducers || !job.isRight(parts))
      throw new Error(`${name} has a wrong output: ${JSON.stringify(parts).slice(0, 2_000)}`);
    this.#jobsDone++;
    this.#mapReruns += view.map.reruns;
  }

  /** As a user would: again, into another place, when the coordinator was lost meanwhile, because the first may have been accepted. */
  async #submit(job: SoakJob) {
    const { client, bucket } = this.cluster;
    const { input, reducers, params, size } = job;
    const deadlineMs = performance.now() + submitTimeoutMs;
    for (;;) {
      const output = `out/${++this.#submitted}/`;
      for (let part = 0; part < reducers; part++) this.#parts.push(`${output}${partName('reduce', part)}`);
      const options = { input, output: bucket.uri(output), reducers, params, ...size };
      try {
        return { handle: await client.submit(job.file, options), output };
      } catch (thrown) {
        if (!MillraceError.from(thrown).retryable || performance.now() > deadlineMs) throw thrown;
        await sleep(500);
      }
    }
  }

  async #look(minute: number, restSeconds: number): Promise<SoakRound> {
    const { cluster } = this;
    const leader = await cluster.leader();
    const journal = await Promise.all(
      ['log/', 'snapshots/'].map((name) => cluster.bucket.keys(`cluster/${name}`)),
    );
    return {
      minute,
      jobsDone: this.#jobsDone,
      givenUp: this.#givenUp,
      mapReruns: this.#mapReruns,
      troubles: { ...this.#troubles.done },
      storeFaults: cluster.requests.failed,
      restSeconds,
      worker: resourcesOf(cluster.workers[0]!.pid!),
      leader: resourcesOf(leader.pid!),
      scratchBytes: cluster.scratchBytes(),
      journalObjects: journal.flat().length,
    };
  }

  /** Looks until the process that is there all the time holds no more than at the first rests. What was cancelled may take its time to end. */
  async #untilSettled(): Promise<void> {
    let worker = resourcesOf(this.cluster.workers[0]!.pid!);
    const excess = () => {
      worker = resourcesOf(this.cluster.workers[0]!.pid!);
      return this.#excess(worker);
    };
    await untilNone('the worker that is never killed holds no more than before', excess, restTimeoutMs);
    this.#worker.push(worker);
  }

  #excess({ fileDescriptors, threads, rssBytes }: Resources): string[] {
    const settling = this.#worker.slice(0, settlingRounds);
    const [first] = settling;
    if (!first) return [];
    const descriptorsMax = first.fileDescriptors + descriptorsSlack;
    const rssMax = settledRssFactor * Math.max(...settling.map((each) => each.rssBytes));
    return [
      ...(fileDescriptors > descriptorsMax ? [`${fileDescriptors} open files, over ${descriptorsMax}`] : []),
      ...(threads > first.threads ? [`${threads} threads, over ${first.threads}`] : []),
      ...(rssBytes > rssMax ? [`${rssBytes} bytes in memory, over ${rssMax}`] : []),
    ];
  }

  /** Takes away what was published; whatever else is there then is nobody's. */
  async #emptyBucket(): Promise<void> {
    const { bucket } = this.cluster;
    await bucket.clear('out/');
    const left = (await bucket.keys()).filter((key) => !/^(in|cluster)\//.test(key));
    if (left.length > 0) throw new Error(`left in the bucket: ${left.join(', ')}`);
  }
}
