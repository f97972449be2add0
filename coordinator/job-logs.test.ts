import { expect, test } from 'vitest';
import { toJobId } from '../lib/ids.ts';
import { limits } from '../lib/limits.ts';
import { JobLogs } from './job-logs.ts';

const job = toJobId('job');
const map = (index: number) => ({ kind: 'map' as const, index, attempt: 0 });

test('lines are kept in order and read back by task', () => {
  const logs = new JobLogs();
  logs.append(job, map(0), 1, 'a');
  logs.append(job, map(1), 2, 'b');
  logs.append(job, map(0), 3, 'c');
  expect(logs.read(job, '').map((entry) => entry.text)).toEqual(['a', 'b', 'c']);
  expect(logs.read(job, 'm0').map((entry) => entry.text)).toEqual(['a', 'c']);
});

test('over the limit the oldest lines go and the first line says so', () => {
  const logs = new JobLogs();
  const half = 'x'.repeat(limits.logBytesPerJobMax / 2);
  for (const first of ['1', '2', '3']) logs.append(job, map(0), 0, first + half);
  const kept = logs.read(job, '');
  expect(kept[0]?.text).toMatch(/older lines were dropped/);
  expect(kept.slice(1).map((entry) => entry.text[0])).toEqual(['3']);
});

test('followers hear new lines until they stop', () => {
  const logs = new JobLogs();
  const heard: string[] = [];
  const stop = logs.follow(job, (entry) => heard.push(entry.text));
  logs.append(job, map(0), 0, 'a');
  stop();
  logs.append(job, map(0), 0, 'b');
  expect(heard).toEqual(['a']);
});
