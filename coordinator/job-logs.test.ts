import { expect, test } from 'vitest';
import { toJobId } from '../lib/ids.ts';
import { limits } from '../lib/limits.ts';
import { JobLogs } from './job-logs.ts';

const job = toJobId('job');
const other = toJobId('other');
const map = (index: number) => ({ kind: 'map' as const, index, attempt: 0 });

test('lines are kept in order and read back by task', () => {
  const logs = new JobLogs(() => true);
  logs.append(job, map(0), 1, 'a');
  logs.append(job, map(1), 2, 'b');
  logs.append(job, map(0), 3, 'c');
  expect(logs.read(job, '').map((entry) => entry.text)).toEqual(['a', 'b', 'c']);
  expect(logs.read(job, 'm0').map((entry) => entry.text)).toEqual(['a', 'c']);
});

test('over the limit the oldest lines go and the first line says so', () => {
  const logs = new JobLogs(() => true);
  const half = 'x'.repeat(limits.logBytesPerJobMax / 2);
  for (const first of ['1', '2', '3']) logs.append(job, map(0), 0, first + half);
  const kept = logs.read(job, '');
  expect(kept[0]?.text).toMatch(/older lines were dropped/);
  expect(kept.slice(1).map((entry) => entry.text[0])).toEqual(['3']);
});

test('lines without a text fill no memory either', () => {
  const logs = new JobLogs(() => true);
  const lines = limits.logBytesPerJobMax / 64 + 1;
  for (let i = 0; i < lines; i++) logs.append(job, map(0), i, '');
  const kept = logs.read(job, '');
  expect(kept.length).toBeLessThan(lines);
  expect(kept.at(-1)?.atMs).toBe(lines - 1);
});

test('the log of a job that is not known any more goes with it', () => {
  const known = new Set([job, other]);
  const logs = new JobLogs((jobId) => known.has(jobId));
  logs.append(job, map(0), 0, 'a');
  logs.append(other, map(0), 0, 'b');
  known.delete(job);
  logs.append(toJobId('next'), map(0), 0, 'c');
  expect(logs.read(job, '')).toEqual([]);
  expect(logs.read(other, '')).toHaveLength(1);
});

test('over the limit of all jobs together the oldest logs go, and say so', () => {
  const logs = new JobLogs(() => true);
  const text = 'x'.repeat(limits.logBytesPerJobMax / 2);
  const jobs = Array.from({ length: limits.logBytesMax / text.length + 1 }, (_, i) => toJobId(`job-${i}`));
  for (const jobId of jobs) logs.append(jobId, map(0), 0, text);
  expect(logs.read(jobs[0]!, '')).toMatchObject([
    { text: expect.stringMatching(/older lines were dropped/) },
  ]);
  expect(logs.read(jobs.at(-1)!, '')).toMatchObject([{ text }]);
});

test('followers hear new lines until they stop', () => {
  const logs = new JobLogs(() => true);
  const heard: string[] = [];
  const stop = logs.follow(job, (entry) => heard.push(entry.text));
  logs.append(job, map(0), 0, 'a');
  stop();
  logs.append(job, map(0), 0, 'b');
  expect(heard).toEqual(['a']);
});
