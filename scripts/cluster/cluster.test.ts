import { expect, test } from 'vitest';
import { chooseWorker, type WorkerContainer } from './cluster.ts';

const worker = (id: string, name: string, isRunning = true): WorkerContainer => ({ id, name, isRunning });
const workers = [
  worker('aaaa11112222', 'millrace_worker_1'),
  worker('aaaa33334444', 'millrace-worker-2'),
  worker('bbbb55556666', 'millrace_worker_11'),
  worker('cccc77778888', 'millrace_worker_3', false),
];

test.each([
  ['its name', 'millrace-worker-2', 1],
  ['its number', '1', 0],
  ['its number, whatever Compose puts before it', '2', 1],
  ['a number of two digits', '11', 2],
  ['its id', 'bbbb55556666', 2],
  ['a part of its id', 'bbbb5', 2],
  ['the name that the coordinator knows', 'aaaa33334444-9f00c1d2e3', 1],
])('a worker is found by %s', (_, name, index) => {
  expect(chooseWorker(workers, name)).toBe(workers[index]);
});

test.each([
  ['nobody', 'zzzz', /no running worker is 'zzzz'; running: millrace_worker_1, /],
  ['one that is dead', '3', /no running worker is '3'/],
  ['two at once', 'aaaa', /more than one worker is 'aaaa'/],
])('%s cannot be killed', (_, name, message) => {
  expect(() => chooseWorker(workers, name)).toThrow(message);
});

test('without workers it says so', () => {
  expect(() => chooseWorker([], '1')).toThrow(/running: none/);
});
