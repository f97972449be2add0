/** One cell: a job, submitted by the command line while a failpoint is armed; what became of it, and of everything it may have left. */
import { randomUUID } from 'node:crypto';
import { isTerminal, type JobView } from '../../lib/job-view.ts';
import { until, untilNone } from '../until.ts';
import type { Cell } from './cells.ts';
import { type Parts, readParts, stagedNames, wrongOutput } from './check-output.ts';
import { heartbeatTimeoutMs, leaseMs, type MatrixCluster } from './matrix-cluster.ts';
import type { Place } from './places.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { submit, type Told } from './submit.ts';

/** What came of running a cell once. */
export interface RunResult {
  readonly cell: Cell;
  /** `COMPLETED`, or how the job failed. */
  readonly outcome: string;
  /** How often the client was told to ask again. */
  readonly refusals: number;
  /** Where it happened: `worker slot`. */
  readonly role: string;
  readonly seconds: number;
  readonly mapReruns: number;
  /** Nobody got to the failpoint, so this says nothing about it; a problem like any other. */
  readonly isMissed: boolean;
  /** Empty for a cell that holds. */
  readonly problems: readonly string[];
}

/** The point may be reached as late as when the job is cleaned up. */
const firesAfterMs = 5_000;
const leavesNothingMs = 20_000;
const watchIntervalMs = 40;
/** Of one job. */
const refusalsMax = 5;

/** The bytes of the job when nothing is armed. Throws when it does not go as it should. */
export async function runUndisturbed(
  cluster: MatrixCluster,
  scenario: Scenario,
  input: string,
): Promise<Parts> {
  const { place } = cluster;
  for (let tries = 1; ; tries++) {
    const output = `out/undisturbed-${randomUUID()}/`;
    await scenario.prepare?.(place, output);
    const { end } = await submit(cluster, scenario, input, output);
    if (end.code === 0) return await readRight(place, output, scenario);
    // Where everything is slow, the lead may change by itself.
    if (end.code !== 3 || tries > refusalsMax) throw new Error(`the undisturbed job failed: ${end.stderr}`);
  }
}

async function readRight(place: Place, output: string, scenario: Scenario): Promise<Parts> {
  const wrong = await wrongOutput(place, output, scenario);
  if (wrong.length > 0) throw new Error(`the undisturbed job is wrong: ${wrong.join('; ')}`);
  return await readParts(place, output);
}

export class CellRun {
  readonly #cluster: MatrixCluster;
  readonly #cell: Cell;
  readonly #scenario: Scenario;
  readonly #id = randomUUID();
  readonly #output = `out/${this.#id}/`;
  readonly #problems: string[] = [];
  #namesBefore = '';
  #hasEnded = false;
  #refusals = 0;
  #role = '';
  #isMissed = false;

  constructor(cluster: MatrixCluster, cell: Cell) {
    this.#cluster = cluster;
    this.#cell = cell;
    this.#scenario = scenarios[cell.scenario];
  }

  /** `input`: the key of its folder. Never throws: what goes wrong is a problem of the cell. */
  async run(input: string, oracle: Parts): Promise<RunResult> {
    const startedMs = performance.now();
    let told: Told | undefined;
    let view: JobView | undefined;
    try {
      told = await this.#runJob(input);
      await this.#cluster.untilQuiet();
      view = told.view ?? (await this.#view());
      await this.#checkEnd(told, view, oracle);
      await this.#checkNothingLeft();
    } catch (thrown) {
      this.#problems.push(thrown instanceof Error ? thrown.message : String(thrown));
    } finally {
      this.#cluster.disarm();
    }
    return {
      cell: this.#cell,
      outcome: told ? outcomeOf(view) : 'no end',
      refusals: this.#refusals,
      role: this.#role,
      seconds: (performance.now() - startedMs) / 1_000,
      mapReruns: view?.map.reruns ?? 0,
      isMissed: this.#isMissed,
      problems: this.#problems,
    };
  }

  async #runJob(input: string): Promise<Told> {
    const { place } = this.#cluster;
    const { name, action, hit } = this.#cell;
    await this.#scenario.prepare?.(place, this.#output);
    this.#namesBefore = (await place.keys(this.#output)).join();
    this.#cluster.arm({ id: this.#id, name, action, hit });
    const told = this.#submit(input).finally(() => {
      this.#hasEnded = true;
    });
    await Promise.all([told, this.#untilFired(), this.#disturb(), this.#watchOutput()]);
    return await told;
  }

  /** Who is told that no coordinator took the job asks again; unless it was taken all the same: then it goes on. */
  async #submit(input: string): Promise<Told> {
    for (;;) {
      const told = await submit(this.#cluster, this.#scenario, input, this.#output);
      if (told.jobId !== undefined || !this.#mayAskAgain(told)) return told;
      this.#refusals++;
      const views = await until('a coordinator answers', () => this.#views());
      if (views.length === 0) continue;
      await until('the job has ended', async () => isTerminal((await this.#view())?.state ?? 'SUBMITTED'));
      return told;
    }
  }

  /** A coordinator that is gone, or was made to throw. */
  #mayAskAgain({ end }: Told): boolean {
    const isTyped = end.code === 3 || (end.code === 1 && this.#cell.action === 'throw');
    return isTyped && this.#refusals < refusalsMax;
  }

  /** What stands still goes on after three leases. */
  async #untilFired(): Promise<void> {
    const { name, action } = this.#cell;
    let endedMs: number | undefined;
    const fired = await until(
      `${name} is reached`,
      () => {
        if (this.#hasEnded) endedMs ??= performance.now();
        const isLate = endedMs !== undefined && performance.now() - endedMs > firesAfterMs;
        return this.#cluster.fired(this.#id) ?? (isLate && 'missed');
      },
      Number.POSITIVE_INFINITY,
    );
    if (fired === 'missed') {
      this.#isMissed = true;
      this.#problems.push(`${name} was not reached`);
      return;
    }
    this.#role = fired.role;
    if (action !== 'stop') return;
    const lastsMs = 3 * (fired.role === 'coordinator' ? leaseMs : heartbeatTimeoutMs);
    await new Promise((resolve) => setTimeout(resolve, lastsMs));
    process.kill(fired.pid, 'SIGCONT');
  }

  async #disturb(): Promise<void> {
    const { disturb } = this.#scenario;
    if (!disturb) return;
    await until('some maps are done', async () => {
      const view = await this.#view();
      return this.#hasEnded || (view !== undefined && view.map.done >= 2);
    });
    await disturb(this.#cluster, () => this.#hasEnded);
  }

  /** Undefined while nobody can be asked, and when the job is not known. */
  async #view(): Promise<JobView | undefined> {
    return (await this.#views())?.[0];
  }

  /** Of this cell's job: none or one. Undefined while nobody can be asked. */
  async #views(): Promise<readonly JobView[] | undefined> {
    const uri = this.#cluster.place.uri(this.#output);
    const views = await this.#cluster.client.list({ limit: 5 }).catch(() => undefined);
    return views?.filter(({ outputUri }) => outputUri === uri);
  }

  /** Until the job commits its output is as it was. Asked in this order a commit that begins in between is no mistake. */
  async #watchOutput(): Promise<void> {
    while (!this.#hasEnded) {
      const names = (await this.#cluster.place.keys(this.#output)).join();
      const view = names === this.#namesBefore ? undefined : await this.#view();
      if (view && ['SUBMITTED', 'MAPPING', 'REDUCING'].includes(view.state)) {
        this.#problems.push(`visible while ${view.state}: ${names}`);
      }
      if (view) return;
      await new Promise((resolve) => setTimeout(resolve, watchIntervalMs));
    }
  }

  async #checkEnd(
    { end, jobId, view: heard }: Told,
    view: JobView | undefined,
    oracle: Parts,
  ): Promise<void> {
    const said = `exit code ${end.code ?? end.signal}: ${end.stderr.trim().slice(-600)}`;
    const { failure } = this.#scenario;
    if (!view) this.#problems.push(`the job was refused, ${said}`);
    else if (jobId !== undefined && !heard) this.#problems.push(`its end was not heard, ${said}`);
    if (view && !isTerminal(view.state)) return void this.#problems.push(`the job is ${view.state} for ever`);
    if (failure !== undefined) {
      const isRight = view?.state === 'FAILED' && view.cause?.failure?.message.includes(failure);
      if (!isRight) this.#problems.push(`the job did not fail with its own error, ${said}`);
    } else if (view && view.state !== 'COMPLETED') {
      this.#problems.push(`the job is ${view.state}, ${said}`);
    }
    if (view?.state === 'COMPLETED') {
      this.#problems.push(...(await wrongOutput(this.#cluster.place, this.#output, this.#scenario, oracle)));
    } else {
      const names = (await this.#cluster.place.keys(this.#output)).join();
      if (names !== this.#namesBefore) this.#problems.push(`visible after a failure: ${names}`);
    }
  }

  async #checkNothingLeft(): Promise<void> {
    const { place } = this.#cluster;
    const names = stagedNames(this.#scenario);
    // What could not be deleted is said, and goes at the next start.
    if (this.#cell.name.startsWith('scratch.') && this.#cell.action === 'throw')
      await this.#cluster.restartWorkers();
    const left = async () => [
      ...(await place.unfinished(this.#output, names)),
      ...this.#cluster.leftOnDisks(),
    ];
    await untilNone('nothing is left', left, leavesNothingMs);
  }
}

function outcomeOf(view: JobView | undefined): string {
  if (!view) return 'refused';
  return view.state === 'FAILED' ? `FAILED (${view.cause?.failure?.kind ?? view.cause?.code})` : view.state;
}
