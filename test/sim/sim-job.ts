/** Jobs of a simulation: what goes in, the functions, and what must come out, computed without any of the code under test. */
import type { JobId } from '../../lib/ids.ts';
import type { JobSpec } from '../../lib/job-spec.ts';
import { type UserContext, type UserJob, userJobVersion } from '../../lib/user-job.ts';
import type { Random } from '../core/fake-cluster.ts';
import { makeSpec } from '../core/make.ts';

const keys = ['ash', 'birch', 'cedar', 'elm', 'fir', 'oak', 'pine', 'rowan', 'willow', 'yew'];
const root = 'mem://sim/';

export class SimJob {
  readonly spec: JobSpec;
  /** By store key. */
  readonly inputs = new Map<string, string>();
  /** Each attempt of a map makes something else. */
  readonly isUnsteady: boolean;
  readonly #lines: readonly { readonly key: string; readonly value: string }[];
  wasCancelled = false;

  constructor(jobId: string, random: Random) {
    this.isUnsteady = random.chance(0.15);
    const lines: { key: string; value: string }[] = [];
    for (let object = 0; object < 1 + random.below(4); object++) {
      let text = '';
      for (let line = 0; line < random.below(40); line++) {
        const key = random.pick(keys)!;
        const value = `${object}:${line}`;
        lines.push({ key, value });
        text += `${key} ${value}\n`;
      }
      this.inputs.set(`in/${jobId}/${object}`, text);
    }
    this.#lines = lines;
    this.spec = makeSpec(jobId, {
      inputPatterns: [`${root}in/${jobId}/*`],
      outputUri: `${root}out/${jobId}/`,
      output: { kind: 'lines', compression: 'none' },
      reducers: random.below(5),
      partition: random.chance(0.3) ? 'range' : 'hash',
      splitBytes: 40 + random.below(200),
      attemptsMax: 50,
      priority: random.below(2),
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
        context.counter('lines').add(1);
        yield [key, isUnsteady ? `${value}@${context.task}.${context.attempt}` : value] as const;
      },
      *reduce(key: unknown, values: Iterable<unknown>) {
        yield [key, [...values].join(',')];
      },
    };
  }

  /** Undefined when the committed parts are one run's output; else what is wrong. `parts`: their texts, in order. */
  problemOf(parts: readonly string[], counters: Readonly<Record<string, number>>): string | undefined {
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
