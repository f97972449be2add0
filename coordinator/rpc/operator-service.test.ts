import { expect, test } from 'vitest';
import { findWorker } from './operator-service.ts';

const workers = [
  { workerId: 'rack1-0a', host: 'rack1' },
  { workerId: 'rack1-0b', host: 'rack1' },
  { workerId: 'rack2-0a', host: 'rack2' },
  { workerId: 'x', host: 'rack30' },
  { workerId: 'x-1', host: 'rack31' },
];

test.each([
  ['its id', 'rack1-0b', 'rack1-0b'],
  ['the beginning of its id', 'rack2', 'rack2-0a'],
  ['the beginning of its host', 'rack31', 'x-1'],
  ['its id, though another begins with it', 'x', 'x'],
])('a worker is found by %s', (_, name, workerId) => {
  expect(findWorker(workers, name)).toBe(workerId);
});

test('a name that several workers have is refused with all of them', () => {
  expect(() => findWorker(workers, 'rack1')).toThrow(
    '"rack1" may be any of 2 workers: rack1-0a, rack1-0b; give more of the name',
  );
});

test('an unknown name is refused with the workers there are', () => {
  expect(() => findWorker(workers, 'rack4')).toThrow(
    'there is no worker "rack4": there are rack1-0a, rack1-0b, rack2-0a, x, x-1 (millrace workers)',
  );
  expect(() => findWorker([], 'rack4')).toThrow('no worker is connected');
  expect(() => findWorker(workers, '')).toThrow('which worker?');
});

test('however many there are, ten are named', () => {
  const many = Array.from({ length: 2_000 }, (_, at) => ({ workerId: `w${at}`, host: 'h' }));
  expect(() => findWorker(many, 'h')).toThrow(
    'any of 2000 workers: w0, w1, w2, w3, w4, w5, w6, w7, w8, w9 and 1990 more;',
  );
});
