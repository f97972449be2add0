import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filesBelow } from './files-below.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-files-below-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('all files, at any depth; none of a folder that is not there', () => {
  mkdirSync(join(folder, 'job/m0'), { recursive: true });
  writeFileSync(join(folder, 'owner.json'), '');
  writeFileSync(join(folder, 'job/m0/output.run'), '');
  const paths = ['job/m0/output.run', 'owner.json'].map((name) => join(folder, name));
  expect(filesBelow(folder).sort()).toEqual(paths);
  expect(filesBelow(join(folder, 'none'))).toEqual([]);
});

test('folders that go while it reads do not hide the files that stay', async () => {
  writeFileSync(join(folder, 'stays'), '');
  const churn = `
    const { mkdirSync, rmdirSync } = require('node:fs');
    const { workerData, parentPort } = require('node:worker_threads');
    const names = Array.from({ length: 50 }, (_, i) => workerData + '/goes-' + i);
    const turn = () => { for (const name of names) mkdirSync(name); for (const name of names) rmdirSync(name); };
    turn();
    parentPort.postMessage('begun');
    for (;;) turn();`;
  const worker = new Worker(churn, { eval: true, workerData: folder });
  await new Promise((resolve) => worker.once('message', resolve));
  try {
    for (let i = 0; i < 1_000; i++) expect(filesBelow(folder)).toEqual([join(folder, 'stays')]);
  } finally {
    await worker.terminate();
  }
});
