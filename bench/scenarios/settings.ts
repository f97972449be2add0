/** The same job under several settings, in every round one after the other; answers must be equal. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { interleave } from '../experiments/interleave.ts';
import type { Measured } from '../measure.ts';
import type { Parameters, Result } from '../result.ts';

export interface Condition {
  readonly name: string;
  /** Writes to the folder, and returns what it took. */
  run(output: string): Promise<Measured>;
  /** Of what it wrote, for comparing; called before the folder is removed. */
  digest(output: string): Promise<string>;
}

/** Wall and CPU time of each condition, of a job named so. Throws when an output is another one than the first. */
export async function compareSettings(
  group: string,
  parameters: Parameters,
  conditions: readonly Condition[],
  { runs, folder }: { readonly runs: number; readonly folder: string },
): Promise<Result[]> {
  const output = join(folder, 'output');
  const runOf = async (condition: Condition) => {
    const measured = await condition.run(output);
    const digest = await condition.digest(output);
    rmSync(output, { recursive: true, force: true });
    return { ...measured, digest };
  };
  const measured = await interleave(
    conditions.map((condition) => ({ name: condition.name, run: () => runOf(condition) })),
    runs,
  );
  const result = (
    subject: string,
    metric: string,
    unit: Result['unit'],
    samples: readonly number[],
  ): Result => ({
    group,
    subject,
    metric,
    unit,
    better: 'lower',
    samples,
    parameters,
  });
  return [...measured].flatMap(([name, its]) => [
    result(
      name,
      'wall time',
      's',
      its.map(({ wallMs }) => wallMs / 1000),
    ),
    result(
      name,
      'CPU time',
      'CPU s',
      its.map(({ cpuSeconds }) => cpuSeconds),
    ),
  ]);
}
