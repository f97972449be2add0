import { expect, test } from 'vitest';
import * as index from './index.ts';
import * as jobSide from './job-side.ts';

test('a job file sees every name of the package, so that one import works everywhere', () => {
  const missing = Object.keys(index).filter((name) => !Object.hasOwn(jobSide, name));
  expect(missing).toEqual([]);
});

test('a job file sees nothing that the package does not have, but for the client', () => {
  const extra = Object.keys(jobSide).filter((name) => !Object.hasOwn(index, name));
  expect(extra.filter((name) => name !== 'connect' && name !== 'run')).toEqual([]);
});

test('what defines a job is the very same code', () => {
  expect(jobSide.defineJob).toBe(index.defineJob);
  expect(jobSide.sum).toBe(index.sum);
  expect(jobSide.hashPartition).toBe(index.hashPartition);
});

test.each([jobSide.connect, jobSide.run])('$name cannot be called inside a task', (call) => {
  expect(call).toThrow(`${call.name}() cannot be called where a job is loaded or inside a task`);
});
