/** Memory in the cases that break naive engines: one key that has all values, as many keys as values, and one key with half of all. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Experiment } from '../experiments/experiment.ts';
import type { GeneratedKind } from '../generate.ts';
import { type Measured, measure } from '../measure.ts';
import { cliPath, jobPath } from '../paths.ts';
import { nothingFound, type Result } from '../result.ts';
import { answerFiles } from './answer.ts';

const values = 5_000_000;
const skewedBytes = 100e6;
const slotMemory = '256MiB';

interface MemoryCase {
  readonly job: string;
  readonly kind: GeneratedKind;
  readonly size: number;
  /** Of the output. */
  readonly isRight: (lines: number) => boolean;
}

const cases: readonly MemoryCase[] = [
  { job: 'one-key', kind: 'one-key', size: values, isRight: (lines) => lines === 1 },
  { job: 'distinct-keys', kind: 'distinct-keys', size: values, isRight: (lines) => lines === values },
  { job: 'one-key', kind: 'skewed', size: skewedBytes, isRight: (lines) => lines > 900_000 },
];

const lineCount = (path: string) => {
  const bytes = readFileSync(path);
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
};

async function runCase({ job, kind, isRight }: MemoryCase, input: string, output: string): Promise<Measured> {
  const flags = [
    '-i',
    input,
    '-o',
    output,
    '--slots',
    '2',
    '--slot-memory',
    slotMemory,
    '-r',
    '2',
    '--quiet',
  ];
  const measured = await measure(process.execPath, [cliPath, 'run', jobPath(job), ...flags]);
  const lines = answerFiles(output).reduce((sum, path) => sum + lineCount(path), 0);
  if (!isRight(lines)) throw new Error(`${kind}: the output has ${lines} lines`);
  rmSync(output, { recursive: true });
  return measured;
}

export const memory: Experiment = {
  name: 'memory',
  title: 'memory with one key, with only different keys, and with one hot key',
  expectedSeconds: () => 60,
  whyNot: () => undefined,
  async run({ folder, input }) {
    const results: Result[] = [];
    for (const each of cases) {
      const { wallMs, peakBytes } = await runCase(each, input(each.kind, each.size), join(folder, 'output'));
      const common = {
        group: 'memory',
        subject: each.kind,
        better: 'lower',
        parameters: { slotMemory },
      } as const;
      results.push(
        { ...common, metric: 'peak memory', unit: 'bytes', samples: [peakBytes] },
        { ...common, metric: 'wall time', unit: 's', samples: [wallMs / 1000] },
      );
    }
    return { ...nothingFound, results };
  },
};
