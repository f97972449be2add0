/** Another system that does the same work, so that both can be measured side by side. One file each in this folder; peers.ts lists them. */
import type { ScenarioName } from '../scenarios/scenario-name.ts';

export interface Peer {
  /** `duckdb`: of `--peers`, of the figures and in results. */
  readonly name: string;
  /** For tables: `DuckDB`. */
  readonly title: string;
  readonly scenarios: readonly ScenarioName[];
  /** Takes many times as long as the others: it gets `--slow-runs` runs, at the end. */
  readonly isSlow: boolean;
  /** In the default set; the others are measured when `--peers` names them. */
  readonly isDefault: boolean;
  /** Looks for what it needs, and prepares what is not to be timed (compiles a Java program, once). Never throws because something is missing. */
  find(): Promise<PeerProgram | PeerMissing>;
}

export interface PeerProgram {
  /** Of the system, with that of its runtime where it matters: `3.5.1, Java 17`. */
  readonly version: string;
  /** The whole process that is timed, start and write included. */
  command(task: PeerTask): Command;
  /** Ends what `find` started and left running (a cluster of its own), if anything. */
  stop?(): Promise<void>;
}

export interface PeerMissing {
  /** `not installed: node bench/peers/install.ts duckdb` */
  readonly missing: string;
}

export interface PeerTask {
  readonly scenario: ScenarioName;
  /** A file; for `small-files` a folder. */
  readonly input: string;
  /** Does not exist yet. The program makes a file of it, or a folder whose files `part-*` are the answer, in the order of their names. */
  readonly output: string;
  /** An empty folder for temporary files, removed afterwards. */
  readonly scratch: string;
  /** Cores it may use. */
  readonly threads: number;
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Beside the environment of the benchmark. */
  readonly env?: Readonly<Record<string, string>>;
}
