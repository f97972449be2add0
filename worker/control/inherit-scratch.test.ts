import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { toJobId, toWorkerId } from '../../lib/ids.ts';
import type { MapReport } from '../../lib/reports.ts';
import { RunReader, RunWriter } from '../shuffle/run-file.ts';
import { inheritScratch } from './inherit-scratch.ts';
import { keepReport, readKeptReport } from './kept-report.ts';
import { Scratch } from './scratch.ts';
import { ScratchBudget } from './scratch-budget.ts';

let directory: string;
let budget: ScratchBudget;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'inherit-'));
  budget = await ScratchBudget.open({ directory, limitBytes: undefined, clock: systemClock });
});
afterEach(() => {
  budget.close();
  rmSync(directory, { recursive: true });
});

const map = (index: number) => ({ jobId: toJobId('j1'), kind: 'map', index, attempt: 1, epoch: 3 }) as const;

const said: MapReport = {
  inputRecords: 1,
  inputBytes: 2,
  segments: [],
  part: undefined,
  spills: 0,
  spillBytes: 0,
};

/** The folder of a worker that has died, with a whole output, a torn one, and one that was never finished. */
function leaveDeadWorker(): void {
  const dead = new Scratch(budget, toWorkerId('dead'));
  for (const index of [0, 1]) {
    const writer = new RunWriter(join(dead.makeAttempt(map(index)).path, 'output.run'), 2);
    writer.append(1, Buffer.from([1, 1, 65, 66]), 0, 4);
    const { segments } = writer.finish();
    keepReport(dead.attemptPath(map(index)), map(index), { ...said, segments }, { seen: 1 });
  }
  truncateSync(join(dead.attemptPath(map(1)), 'output.run'), 30);
  writeFileSync(join(dead.makeAttempt(map(2)).path, 'output.run.tmp'), 'half');
  mkdirSync(join(dead.path, 'j1', 'r0.0.e3'));
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  writeFileSync(
    join(dead.path, 'owner.json'),
    JSON.stringify({ host: hostname(), pid, processStartedAtMs: 1 }),
  );
}

test('whole outputs move to the new worker, torn and unfinished ones and the folder of the dead go', () => {
  leaveDeadWorker();
  const scratch = new Scratch(budget, toWorkerId('new'));
  const { workers, outputs } = inheritScratch(directory, scratch);
  expect(workers).toEqual(['dead']);
  expect(outputs.map(({ attempt }) => attempt)).toEqual([map(0)]);
  using run = new RunReader(outputs[0]!.path);
  expect(run.segment(1).records).toBe(1);
  expect(readKeptReport(map(0), run)).toMatchObject({ attempt: map(0), counters: { seen: 1 }, again: true });
  expect(outputs[0]!.bytes).toBe(statSync(outputs[0]!.path).size);
  expect(outputs[0]!.path.startsWith(scratch.path)).toBe(true);
  expect(readdirSync(directory)).toEqual(['new']);
  expect(existsSync(join(directory, 'new', 'j1'))).toBe(true);
});

test('a run file of another version is not offered, and goes with the folder of the dead', () => {
  leaveDeadWorker();
  const path = join(directory, 'dead', 'j1', 'm0.1.e3', 'output.run');
  const bytes = readFileSync(path);
  bytes.writeUInt32LE(bytes.readUInt32LE(4) + 1, 4);
  writeFileSync(path, bytes);
  expect(() => new RunReader(path)).toThrow(/it has version \d+, not \d+/);
  const { workers, outputs } = inheritScratch(directory, new Scratch(budget, toWorkerId('new')));
  expect([workers, outputs]).toEqual([['dead'], []]);
  expect(readdirSync(directory)).toEqual(['new']);
});

test('a worker that still runs keeps everything', () => {
  const alive = new Scratch(budget, toWorkerId('alive'));
  new RunWriter(join(alive.makeAttempt(map(0)).path, 'output.run'), 1).finish();
  const scratch = new Scratch(budget, toWorkerId('new'));
  expect(inheritScratch(directory, scratch)).toEqual({ workers: [], outputs: [] });
  expect(existsSync(join(alive.attemptPath(map(0)), 'output.run'))).toBe(true);
});
