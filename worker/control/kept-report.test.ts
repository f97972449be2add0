import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { toJobId } from '../../lib/ids.ts';
import type { MapReport } from '../../lib/reports.ts';
import { RunReader, RunWriter } from '../shuffle/run-file.ts';
import { keepReport, readKeptReport } from './kept-report.ts';

const attempt = { jobId: toJobId('j1'), kind: 'map', index: 7, attempt: 1, epoch: 3 } as const;
const counters = { words: 12, "it's": 0.5 };

let folder: string;
let run: RunReader;
let report: MapReport;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kept-'));
  const writer = new RunWriter(join(folder, 'output.run'), 3);
  writer.append(1, Buffer.from([1, 1, 65, 66]), 0, 4);
  const { path, segments } = writer.finish();
  run = new RunReader(path);
  const counts = segments.map(({ records, bytes, crc32 }) => ({ records, bytes, crc32 }));
  report = { inputRecords: 9, inputBytes: 90, segments: counts, part: undefined, spills: 1, spillBytes: 30 };
});
afterEach(() => {
  run.close();
  rmSync(folder, { recursive: true });
});

test('what was kept comes back as it was said, its segments out of the run file', () => {
  keepReport(folder, attempt, report, counters);
  expect(readdirSync(folder).sort()).toEqual(['output.run', 'report.json']);
  const outcome = { kind: 'map-done', report };
  expect(readKeptReport(attempt, run)).toEqual({ attempt, outcome, counters, again: true });
});

test('a later report takes the place of an earlier one', () => {
  keepReport(folder, attempt, report, counters);
  keepReport(folder, attempt, { ...report, inputRecords: 10 }, {});
  expect(readKeptReport(attempt, run)).toMatchObject({
    outcome: { report: { inputRecords: 10 } },
    counters: {},
  });
});

test('nothing comes back where none was kept, or where any byte of it is not what was written', () => {
  expect(readKeptReport(attempt, run)).toBeUndefined();
  keepReport(folder, attempt, report, counters);
  const path = join(folder, 'report.json');
  const whole = readFileSync(path);
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at]! ^= 1;
    writeFileSync(path, changed);
    expect(readKeptReport(attempt, run)).toBeUndefined();
    writeFileSync(path, whole.subarray(0, at));
    expect(readKeptReport(attempt, run)).toBeUndefined();
  }
});

test('what another attempt said, and what was said of another run, is none of this one', () => {
  for (const other of [
    { ...attempt, index: 8 },
    { ...attempt, attempt: 2 },
    { ...attempt, epoch: 4 },
    { ...attempt, jobId: toJobId('j2') },
  ]) {
    keepReport(folder, other, report, counters);
    expect(readKeptReport(attempt, run)).toBeUndefined();
    expect(readKeptReport(other, run)).toBeDefined();
  }
  const [first, ...others] = report.segments;
  keepReport(folder, attempt, { ...report, segments: [...others, first!] }, counters);
  expect(readKeptReport(attempt, run)).toBeUndefined();
});
