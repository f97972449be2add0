/**
 * Every example gives the same bytes in one thread, in one process with one and with two slots, and on a cluster of three worker
 * processes; and those are what coreutils and awk say.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInline } from '../../sdk/testing.ts';
import { Cluster, cliPath, readParts } from './cluster.ts';
import { ask, type ExampleRun, exampleRuns, examples } from './example-oracles.ts';

let folder: string;
let cluster: Cluster;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-examples-'));
  cluster = await Cluster.start({ workers: 3 });
});
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const jobFile = ({ name }: ExampleRun) => join(examples, `${name}.ts`);
const expectedFile = ({ name }: ExampleRun) => join(examples, 'expected', `${name.replace('/', '-')}.txt`);
const outputOf = (how: string, name: string) => join(folder, how, name);
/** The second job of a chain reads what the first made in the same way. */
const inputOf = (example: ExampleRun, how: string) =>
  join(example.after ? outputOf(how, example.after) : join(examples, 'data'), example.input);

async function runInOneThread(example: ExampleRun): Promise<Record<string, string>> {
  const { reducers, splitBytes, params = {} } = example;
  // The first job of a chain has left the same bytes there in every way.
  const input = inputOf(example, 'slots-2');
  const { parts } = await runInline(jobFile(example), { input, reducers, splitSize: splitBytes, params });
  return Object.fromEntries(
    Object.entries(parts).map(([name, bytes]) => [name, Buffer.from(bytes).toString('latin1')]),
  );
}

function runHere(example: ExampleRun, slots: number): Record<string, string> {
  const how = `slots-${slots}`;
  const output = outputOf(how, example.name);
  const params = Object.entries(example.params ?? {}).flatMap(([name, value]) => [
    '--param',
    `${name}=${value}`,
  ]);
  execFileSync(
    process.execPath,
    [
      cliPath,
      ...['run', jobFile(example), '-i', inputOf(example, how), '-o', output],
      ...['-r', String(example.reducers), '--split-size', `${example.splitBytes}B`, '--slots', String(slots)],
      ...params,
    ],
    { stdio: 'pipe' },
  );
  return readParts(output);
}

async function runOnCluster(example: ExampleRun): Promise<Record<string, string>> {
  const output = outputOf('cluster', example.name);
  const { reducers, splitBytes, params = {} } = example;
  const input = [inputOf(example, 'cluster')];
  const handle = await cluster.client.submit(jobFile(example), {
    input,
    output,
    reducers,
    splitSize: splitBytes,
    params,
  });
  const view = await handle.wait();
  expect(view).toMatchObject({ state: 'COMPLETED', cause: null });
  return readParts(output);
}

/** Lines of all parts, in the order of bytes or, for an ordered result, of the parts; without the folder of the input. */
function linesOf(example: ExampleRun, parts: Record<string, string>): string[] {
  const text = Object.values(parts).join('').replaceAll(`file://${examples}/data/`, '');
  const lines = text.split('\n').slice(0, -1);
  return example.ordered ? lines : lines.sort();
}

describe.for(exampleRuns)('$name', (example) => {
  let twoSlots: Record<string, string>;
  beforeAll(() => {
    twoSlots = runHere(example, 2);
  });

  it('writes one part per reducer', () => {
    expect(Object.keys(twoSlots)).toEqual(
      Array.from({ length: example.reducers }, (_, i) => `part-r-${String(i).padStart(5, '0')}`),
    );
  });

  it('gives the same bytes in one thread', async () => {
    expect(await runInOneThread(example)).toEqual(twoSlots);
  });

  it('gives the same bytes with one slot', () => {
    expect(runHere(example, 1)).toEqual(twoSlots);
  });

  it('gives the same bytes on three worker processes', async () => {
    expect(await runOnCluster(example)).toEqual(twoSlots);
  });

  it('gives what coreutils and awk say, and examples/expected has', () => {
    const wanted = linesOf(example, { oracle: ask(example.oracle) });
    expect(linesOf(example, twoSlots)).toEqual(wanted);
    expect(readFileSync(expectedFile(example), 'latin1')).toBe(wanted.map((line) => `${line}\n`).join(''));
  });
});
