/** A property check of a job's combiner: combining some, all or none of the values must not change what reduce makes of them. */
import { MillraceError } from '../../lib/errors.ts';
import type { Job } from '../job-types.ts';
import { type InlineOptions, runInline } from './run-inline.ts';

/** Input records that between them give some keys several values. */
export type CombinerSample = readonly unknown[];

/**
 * Runs the job on each sample cut into one, two, three and as many maps as there are records, so that the combiner sees the
 * values of a key in ever smaller groups, and compares the outputs. Throws `wrong-state` showing the first difference.
 */
export async function checkCombiner(
  job: Job,
  samples: readonly CombinerSample[],
  options: Pick<InlineOptions, 'params'> = {},
): Promise<void> {
  for (const [index, records] of samples.entries()) {
    let first: { maps: number; output: string[] } | undefined;
    for (const maps of new Set([1, 2, 3, Math.max(1, records.length)])) {
      const result = await runInline(job, { ...options, records, maps });
      const output = result.output.map((record) => String(JSON.stringify(record, bigintAsText)));
      first ??= { maps, output };
      const at = output.findIndex((line, i) => line !== first?.output[i]);
      if (at < 0 && output.length === first.output.length) continue;
      throw new MillraceError(
        'wrong-state',
        `the combiner of ${job.name} changes the result: sample ${index} in ${first.maps} map gives ` +
          `${first.output[at] ?? `${first.output.length} records`}, in ${maps} maps ${output[at] ?? `${output.length} records`}; ` +
          'combine must be associative and agree with reduce',
      );
    }
  }
}

function bigintAsText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
