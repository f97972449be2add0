import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AttemptId, toJobId } from '../../lib/ids.ts';
import { createLog } from '../../lib/log.ts';
import type { AttemptReport } from '../../lib/reports.ts';
import { MapOutputs } from '../shuffle/outputs.ts';
import { RunWriter } from '../shuffle/run-file.ts';
import { keepReport } from './kept-report.ts';
import { RepeatReports } from './repeat-reports.ts';

let folder: string;
let outputs: MapOutputs;
let said: AttemptReport[];
let repeats: RepeatReports;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'repeats-'));
  outputs = new MapOutputs();
  said = [];
  const log = createLog('test', 'silent');
  repeats = new RepeatReports({ outputs, log, report: (report) => said.push(report) });
});
afterEach(() => {
  outputs.removeAll();
  rmSync(folder, { recursive: true });
});

const idOf = (index: number): AttemptId => ({
  jobId: toJobId('j1'),
  kind: 'map',
  index,
  attempt: 0,
  epoch: 1,
});

const pathOf = (index: number) => join(folder, String(index), 'output.run');

function addOutputs(count: number): AttemptId[] {
  for (let index = 0; index < count; index++) {
    mkdirSync(join(folder, String(index)));
    const { segments } = new RunWriter(pathOf(index), 1).finish();
    const sums = { inputRecords: index, inputBytes: 0, spills: 0, spillBytes: 0 };
    keepReport(join(folder, String(index)), idOf(index), { ...sums, segments, part: undefined }, {});
    outputs.add(idOf(index), pathOf(index));
  }
  return outputs.list();
}

const maps = () => said.map(({ attempt }) => attempt.index);

test('every output is said once, no more at a time than may wait for their answers', () => {
  repeats.begin(addOutputs(200));
  expect(maps()).toEqual(Array.from({ length: 64 }, (_, index) => index));
  for (let index = 0; index < 200; index++) repeats.answered(idOf(index));
  expect(maps()).toEqual(Array.from({ length: 200 }, (_, index) => index));
});

test('what waits for its answer when the next coordinator comes is not said twice', () => {
  const all = addOutputs(65);
  repeats.begin(all);
  repeats.begin(all);
  repeats.answered(idOf(3));
  expect(maps().slice(64)).toEqual([64]);
});

test('outputs that are gone, torn or without a report are left out', () => {
  const all = addOutputs(4);
  outputs.remove(idOf(0));
  writeFileSync(pathOf(1), 'torn');
  rmSync(join(folder, '2', 'report.json'));
  repeats.begin(all);
  expect(maps()).toEqual([3]);
});

test('after it was cleared answers change nothing, and it can begin anew', () => {
  const all = addOutputs(65);
  repeats.begin(all);
  repeats.clear();
  repeats.answered(idOf(0));
  expect(said).toHaveLength(64);
  repeats.begin(all);
  expect(said).toHaveLength(128);
});
