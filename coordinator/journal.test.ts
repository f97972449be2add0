import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PersistRecord } from './core/effects.ts';
import { FileJournal } from './journal.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-journal-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const record = (at: number) => ({ type: 'job-committing', at, jobId: 'j' }) as unknown as PersistRecord;

test('appended records are lines of the file in order', async () => {
  await using journal = await FileJournal.open(folder);
  await journal.append([record(1), record(2)]);
  await journal.append([record(3)]);
  const lines = readFileSync(join(folder, '00000001.jsonl'), 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).at)).toEqual([1, 2, 3]);
});

test('every start has an epoch of its own, greater than those before, even when two start at once', async () => {
  const journals = await Promise.all(Array.from({ length: 5 }, () => FileJournal.open(folder)));
  for (const journal of journals) await journal[Symbol.asyncDispose]();
  await using later = await FileJournal.open(folder);
  const epochs = journals.map((journal) => journal.epoch).sort();
  expect(new Set(epochs).size).toBe(5);
  expect(later.epoch).toBeGreaterThan(Math.max(...epochs));
});

test('a folder that cannot be made is refused with the path and the setting', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(FileJournal.open(join(folder, 'file/journal'))).rejects.toThrow(/--store.*file\/journal/);
});
