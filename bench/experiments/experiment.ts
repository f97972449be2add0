/** A measurement that has no peer: what more workers gain, what a death costs. One file each in this folder; experiments.ts lists them. */
import type { GeneratedKind } from '../generate.ts';
import type { Findings } from '../result.ts';

export interface Experiment {
  /** Of `--scenarios`, and the group of its results. */
  readonly name: string;
  readonly title: string;
  /** About, with `runs` runs on two cores: `--budget` decides by it whether there is time for the experiment. */
  expectedSeconds(runs: number): number;
  /** Why it cannot be done here (`needs root, for control groups`); undefined when it can. */
  whyNot(): string | undefined;
  /** Adds to findings only what it measured itself. Throws when an answer was wrong, and when a program failed. */
  run(context: ExperimentContext): Promise<Findings>;
}

export interface ExperimentContext {
  readonly runs: number;
  /** An empty folder, removed afterwards. */
  readonly folder: string;
  /** The path of generated input of so many bytes, or lines where the kind counts those; made unless it is there from an earlier run. */
  readonly input: (kind: GeneratedKind, size: number) => string;
  /** One line of progress for people. */
  readonly say: (line: string) => void;
}
