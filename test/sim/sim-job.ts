/** Jobs of a simulation: what goes in, the functions, and what must come out, computed without any of the code under test. */
import type { JobId } from '../../lib/ids.ts';
import type { JobSpec } from '../../lib/job-spec.ts';
import type { JobCause } from '../../lib/job-view.ts';
import type { SuccessManifest } from '../../lib/success-manifest.ts';
import { type UserContext, type UserJob, userJobVersion } from '../../lib/user-job.ts';
import type { Random } from '../core/fake-cluster.ts';
import { makeSpec } from '../core/make.ts';

const keys = ['ash', 'birch', 'cedar', 'elm', 'fir', 'oak', 'pine', 'rowan', 'willow', 'yew'];
const root = 'mem://sim/';
const paddingChars = 200;
/** Of a line that no map can take. */
const badValue = 'bad';

export class SimJob {
  readonly spec: JobSpec;
  /** By store key. */
  readonly inputs = new Map<string, string>();
  /** Each attempt of a map makes something else. */
  readonly isUnsteady: boolean;
  /** How much longer than others its tasks take: what strikes a job that is over at once strikes nothing. */
  readonly slowness: number;
  /** How its input ends it, if not well: a record that no map can take, alone or beyond what it may skip. */
  readonly #doom: 'user-error' | 'bad-records' | undefined;
  #badLines = 0;
  readonly #lines: readonly { readonly key: string; readonly value: string }[];
  wasCancelled = false;

  constructor(jobId: string, random: Random) {
    this.isUnsteady = random.chance(0.25);
    // So long that a map fills its buffer more than once, when buffers are small.
    const padding = random.chance(0.2) ? 'x'.repeat(paddingChars) : '';
    this.slowness = random.pick([1, 10, 20])!;
    const badShare = random.pick([0, 0, 0, 0.05])!;
    const lines: { key: string; value: string }[] = [];
    for (let object = 0; object < 1 + random.below(4); object++) {
      let text = '';
      for (let line = 0; line < random.below(40); line++) {
        const key = random.pick(keys)!;
        const isBad = random.chance(badShare);
        const value = isBad ? badValue : `${object}:${line}${padding}`;
        if (isBad) this.#badLines++;
        else lines.push({ key, value });
        text += `${key} ${value}\n`;
      }
      this.inputs.set(`in/${jobId}/${object}`, text);
    }
    this.#lines = lines;
    const mayAllBeSkipped = random.chance(0.7);
    const skipped = mayAllBeSkipped ? this.#badLines : random.below(this.#badLines);
    if (skipped < this.#badLines) this.#doom = skipped === 0 ? 'user-error' : 'bad-records';
    const bundle = {
      uri: `${root}coordinator/jobs/${jobId}/bundle.mjs`,
      sha256: 'ab'.repeat(32),
      bytes: 1,
    };
    this.spec = makeSpec(jobId, {
      bundle,
      inputPatterns: [`${root}in/${jobId}/*`],
      outputUri: `${root}out/${jobId}/`,
      output: { kind: 'lines', compression: 'none' },
      reducers: random.below(5),
      partition: random.chance(0.3) ? 'range' : 'hash',
      splitBytes: (40 + random.below(200)) * (padding ? paddingChars / 10 : 1),
      attemptsMax: 50,
      priority: random.below(2),
      durability: random.pick(['local', 'local', 'async', 'sync'] as const)!,
      onNondeterminism: random.pick(['rerun-reduces', 'rerun-reduces', 'fail'] as const)!,
      ...(skipped > 0 && { maxBadRecords: { kind: 'count', records: skipped } }),
    });
  }

  get jobId(): JobId {
    return this.spec.jobId;
  }

  get userJob(): UserJob {
    const { isUnsteady, spec } = this;
    return {
      millraceJob: userJobVersion,
      source: '',
      name: spec.name,
      input: spec.input,
      output: spec.output,
      params: {},
      *map(record: unknown, context: UserContext) {
        const [key = '', value = ''] = String(record).split(' ');
        if (value === badValue) throw new Error(badValue);
        context.counter('lines').add(1);
        yield [key, isUnsteady ? `${value}@${context.task}.${context.attempt}` : value] as const;
      },
      *reduce(key: unknown, values: Iterable<unknown>) {
        yield [key, [...values].join(',')];
      },
    };
  }

  /** Whether that is the bad end that its input leads to (I19), or its function. */
  isOwnEnd({ code, failure }: JobCause): boolean {
    if (code === 'non-deterministic') return this.isUnsteady && this.spec.onNondeterminism === 'fail';
    return this.#doom !== undefined && (code === this.#doom || failure?.kind === this.#doom);
  }

  /** Undefined when the committed parts are one run's output; else what is wrong. `parts`: their texts, in order. */
  problemOf(parts: readonly string[], { counters, badRecords }: SuccessManifest): string | undefined {
    if (this.#doom !== undefined) return `it is complete, although it must fail with ${this.#doom} (I19)`;
    const skipped = badRecords?.records ?? 0;
    if (skipped !== this.#badLines) return `${skipped} records are bad, not ${this.#badLines} (I19)`;
    if (counters.lines !== undefined && counters.lines !== this.#lines.length) {
      return `counter lines is ${counters.lines}, not ${this.#lines.length} (I12)`;
    }
    const rows = parts.flatMap((text) => text.split('\n').slice(0, -1));
    const attempts = new Map<string, string>();
    const found = rows.map((row) =>
      row.replace(/@([sm]\d+)\.(\d+)/g, (_, task: string, attempt: string) => {
        if ((attempts.get(task) ?? attempt) !== attempt) attempts.set(task, 'several');
        else attempts.set(task, attempt);
        return '';
      }),
    );
    const mixed = [...attempts].find(([, attempt]) => attempt === 'several');
    if (mixed) return `the output holds several attempts of ${mixed[0]} (I3)`;
    if (this.spec.reducers === 0) return this.#problemOfMapOnly(found);
    return this.#problemOfParts(parts) ?? this.#problemOfRows(found);
  }

  #problemOfMapOnly(rows: readonly string[]): string | undefined {
    const expected = this.#lines.map(({ key, value }) => `${key}\t${value}`);
    return compare(rows, expected);
  }

  #problemOfParts(parts: readonly string[]): string | undefined {
    const all: string[] = [];
    for (const text of parts) {
      const found = text
        .split('\n')
        .slice(0, -1)
        .map((row) => row.split('\t')[0]!);
      if (found.join() !== [...found].sort().join()) return `a part is not sorted: ${found.join()}`;
      all.push(...found);
    }
    if (this.spec.partition === 'range' && all.join() !== [...all].sort().join()) {
      return `the parts are not in order: ${all.join()}`;
    }
    return undefined;
  }

  #problemOfRows(rows: readonly string[]): string | undefined {
    const values = new Map<string, string[]>();
    for (const { key, value } of this.#lines) values.set(key, [...(values.get(key) ?? []), value]);
    const expected = [...values].map(([key, all]) => `${key}\t${all.join()}`);
    return compare([...rows].sort(), expected.sort());
  }
}

function compare(found: readonly string[], expected: readonly string[]): string | undefined {
  for (let at = 0; at < Math.max(found.length, expected.length); at++) {
    if (found[at] !== expected[at]) return `row ${at} is ${found[at]}, not ${expected[at]} (I4)`;
  }
  return undefined;
}
