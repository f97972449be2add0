/** `defineJob`: the types of a job are inferred here, its shape is checked, and the erased job that runs is made. */
import type { UserJob } from '../lib/user-job.ts';
import { userJobVersion } from '../lib/user-job.ts';
import { checkDefinition } from './check-definition.ts';
import type {
  CheckPair,
  Job,
  JobDefinition,
  NotGiven,
  OptionName,
  OutputRecord,
  PairOf,
  WidenParams,
} from './job-types.ts';

/**
 * Defines a job; the default export of a job file.
 *
 *     export default defineJob(import.meta, {
 *       name: 'word-count',
 *       *map(line) {
 *         for (const word of line.split(/[^A-Za-z]+/)) if (word) yield [word, 1];
 *       },
 *       combine: sum,
 *       reduce: sum,
 *     });
 *
 * Throws `job-file` for a definition that could not run, naming the job and the option.
 */
export function defineJob<
  R = string,
  // biome-ignore lint/suspicious/noExplicitAny: see job-types.ts, how inference works
  Mapped extends readonly [unknown, unknown] = readonly [any, any],
  W = NotGiven,
  Y = NotGiven,
  P extends Record<string, string | number | boolean> = Record<never, never>,
  Names extends OptionName = OptionName,
  Pair extends readonly [unknown, unknown] = PairOf<R, Mapped, Names>,
>(
  meta: { readonly url: string },
  definition: JobDefinition<R, PairOf<R, Mapped, Names>, W, Y, P, Mapped> & {
    readonly [Name in Names]?: unknown;
  } & CheckPair<PairOf<R, Mapped, Names>>,
): Job<R, Pair[0], Pair[1], OutputRecord<Pair[0], Pair[1], W, Y>, WidenParams<P>> {
  const checked = checkDefinition(meta, definition);
  const job: UserJob = { millraceJob: userJobVersion, source: meta.url, ...checked };
  return Object.freeze(job);
}
