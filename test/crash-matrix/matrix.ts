/** Runs cells one after the other on clusters that are kept from cell to cell, and replaced when a cell leaves them broken. */
import type { Minio } from '../minio/start-minio.ts';
import type { Cell } from './cells.ts';
import type { Parts } from './check-output.ts';
import { MatrixCluster } from './matrix-cluster.ts';
import { CellRun, type RunResult, runUndisturbed } from './run-cell.ts';
import { type Scenario, type ScenarioName, scenarios } from './scenarios.ts';

export interface CellResult extends RunResult {
  /** How often the cell was run until somebody got to its failpoint. */
  readonly tries: number;
}

/** A cell that failed, with the logs of its cluster. */
export interface Failure {
  readonly result: CellResult;
  readonly logs: string;
}

/** The right bytes of each scenario, computed by whoever needs them first. */
export type Oracles = Map<ScenarioName, Promise<Parts>>;

export interface MatrixOptions {
  /** For several at once. Default: its own. */
  readonly oracles?: Oracles;
  /** Told of each cell as it ends. */
  onResult?(result: CellResult): void;
}

/** Of a cell whose failpoint nobody gets to: where everything is slow a job may end before it is disturbed. */
const triesMax = 3;

export class Matrix implements AsyncDisposable {
  readonly results: CellResult[] = [];
  readonly failures: Failure[] = [];
  readonly #minio: Minio;
  readonly #options: MatrixOptions;
  readonly #clusters = new Map<Scenario['place'], MatrixCluster>();
  /** Clusters that have the input of a scenario. */
  readonly #given = new Map<MatrixCluster, Set<ScenarioName>>();
  readonly #oracles: Oracles;

  constructor(minio: Minio, options: MatrixOptions = {}) {
    this.#minio = minio;
    this.#options = options;
    this.#oracles = options.oracles ?? new Map();
  }

  /** A cell that was missed, and right otherwise, is run again; its last result counts. Throws when no cluster can be started, or not even the undisturbed job is right. */
  async run(cell: Cell): Promise<CellResult> {
    for (let tries = 1; ; tries++) {
      const { result, logs } = await this.#try(cell, tries);
      const isOnlyMissed = result.isMissed && result.problems.length === 1;
      if (isOnlyMissed && tries < triesMax) continue;
      this.results.push(result);
      if (result.problems.length > 0) this.failures.push({ result, logs });
      this.#options.onResult?.(result);
      return result;
    }
  }

  async #try(cell: Cell, tries: number): Promise<{ result: CellResult; logs: string }> {
    const { place } = scenarios[cell.scenario];
    const cluster = await this.#cluster(place);
    let isWhole = false;
    try {
      const input = await this.#giveInput(cluster, cell.scenario);
      const oracle = await this.#oracle(cluster, cell.scenario, input);
      const result = { ...(await new CellRun(cluster, cell).run(input, oracle)), tries };
      isWhole = result.problems.length === 0;
      return { result, logs: cluster.logs };
    } finally {
      if (!isWhole) {
        this.#clusters.delete(place);
        await cluster[Symbol.asyncDispose]();
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const cluster of this.#clusters.values()) await cluster[Symbol.asyncDispose]();
  }

  async #cluster(place: Scenario['place']): Promise<MatrixCluster> {
    const cluster = this.#clusters.get(place) ?? (await MatrixCluster.start(place, this.#minio));
    this.#clusters.set(place, cluster);
    return cluster;
  }

  async #giveInput(cluster: MatrixCluster, name: ScenarioName): Promise<string> {
    const given = this.#given.get(cluster) ?? new Set();
    this.#given.set(cluster, given);
    const folder = `in/${name.replace(' ', '-')}/`;
    if (given.has(name)) return folder;
    for (const [at, text] of scenarios[name].input.entries())
      await cluster.place.put(`${folder}${at}.txt`, text);
    given.add(name);
    return folder;
  }

  async #oracle(cluster: MatrixCluster, name: ScenarioName, input: string): Promise<Parts> {
    if (scenarios[name].failure !== undefined) return {};
    const oracle = this.#oracles.get(name) ?? runUndisturbed(cluster, scenarios[name], input);
    this.#oracles.set(name, oracle);
    try {
      return await oracle;
    } catch (thrown) {
      // The next cell tries again.
      this.#oracles.delete(name);
      throw thrown;
    }
  }
}
