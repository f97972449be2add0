/**
 * The inner loops of the data path and of the coordinator, each by itself, as one table: `npm run bench:micro [-- NAME…]`. Each runs in a process of its
 * own, so that none is measured with code that another one made slower for both.
 */
import { join } from 'node:path';
import { MillraceError } from '../../lib/errors.ts';
import { Forked } from '../experiments/forked.ts';
import { thisMachine } from '../machine.ts';
import { machineName } from '../report/markdown.ts';
import { plainTable } from '../report/text.ts';
import { formatSamples } from '../report/values.ts';
import { microBenchmarks } from './benchmarks.ts';
import type { Rate } from './rate.ts';

function chosen(wanted: readonly string[]): string[] {
  const unknown = wanted.find((name) => !microBenchmarks.has(name));
  if (unknown !== undefined) {
    const known = [...microBenchmarks.keys()].join(', ');
    throw new MillraceError('invalid-argument', `there is no ${unknown}; there are ${known}`);
  }
  const usual = [...microBenchmarks].filter(([, { isOnlyByName }]) => !isOnlyByName);
  return wanted.length > 0 ? [...wanted] : usual.map(([name]) => name);
}

async function measureOne(name: string): Promise<string[][]> {
  console.error(name);
  await using child = new Forked(join(import.meta.dirname, 'one.ts'), name);
  const rates = await child.next<readonly Rate[]>();
  return rates.map((rate, index) => [index === 0 ? name : '', rate.what, formatSamples(rate)]);
}

try {
  const rows: string[][] = [];
  for (const name of chosen(process.argv.slice(2))) rows.push(...(await measureOne(name)));
  console.log(machineName(thisMachine()));
  const heads = ['', '', 'per CPU second: median (smallest to largest of five)'];
  console.log(plainTable({ title: 'Micro benchmarks', heads, rows }));
} catch (thrown) {
  if (!(thrown instanceof MillraceError) || thrown.code !== 'invalid-argument') throw thrown;
  console.error(thrown.message);
  process.exitCode = 2;
}
