/** What a map attempt skips: counted against the budget, and staged as the task's object under `_bad/`. Nothing is staged while nothing is bad. */
import { type BadRecordLine, type BadRecordsReport, describeOverBudget } from '../../lib/bad-records.ts';
import { failpoint } from '../../lib/failpoints.ts';
import { badPartName } from '../../lib/formats.ts';
import { formatTask } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import { createPartWriter, type OpenPartOptions, type PartWriter } from '../reduce/write-output.ts';
import { TaskFailure } from '../user/task-failure.ts';
import type { SkippedRecord } from './run-mapper.ts';

export type BadRecordsOptions = Pick<OpenPartOptions, 'spec' | 'attempt' | 'stores' | 'partListener'>;

export class BadRecords {
  readonly #options: BadRecordsOptions;
  readonly #examples: string[] = [];
  #part: PartWriter | undefined;
  #count = 0;
  #rawBytesLeft: number = limits.badRecordBytesPerTaskMax;

  constructor(options: BadRecordsOptions) {
    this.#options = options;
  }

  /** Throws a `bad-records` TaskFailure when this task alone is over the budget of the job, and what the store throws. */
  async skip(record: SkippedRecord): Promise<void> {
    this.#count++;
    if (this.#examples.length < limits.badRecordExamplesMax) this.#examples.push(describe(record));
    const budget = this.#options.spec.maxBadRecords;
    if (budget?.kind === 'count' && this.#count > budget.records) {
      const message = describeOverBudget(budget, this.#count, this.#examples);
      throw new TaskFailure({ kind: 'bad-records', message });
    }
    this.#part ??= await this.#open();
    failpoint('map.skipped');
    await this.#part.write(this.#lineOf(record));
  }

  /** Undefined when nothing was skipped. */
  async finish(): Promise<BadRecordsReport | undefined> {
    return this.#part && { part: await this.#part.finish(), examples: this.#examples };
  }

  async abort(): Promise<void> {
    await this.#part?.abort();
  }

  #open(): Promise<PartWriter> {
    const { spec, attempt, stores, partListener } = this.#options;
    const location = stores.locate(`${spec.outputUri}${badPartName(spec.partOffset + attempt.index)}`);
    return createPartWriter(location, { kind: 'jsonl', compression: 'none' }, attempt.jobId, partListener);
  }

  #lineOf({ uri, offset, line, error, raw }: SkippedRecord): BadRecordLine {
    const head = raw.head.subarray(0, this.#rawBytesLeft);
    this.#rawBytesLeft -= head.length;
    return {
      task: formatTask(this.#options.attempt),
      uri,
      offset,
      line: line ?? null,
      error: { ...error, stack: error.stack.slice(0, limits.badRecordStackCharsMax) },
      raw: Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('base64'),
      bytes: raw.bytes,
    };
  }
}

function describe({ uri, offset, line, error }: SkippedRecord): string {
  const place = line === undefined ? `byte ${offset}` : `line ${line}, byte ${offset}`;
  return `${error.name}: ${error.message} (${uri}, ${place})`.slice(0, limits.badRecordExampleCharsMax);
}
