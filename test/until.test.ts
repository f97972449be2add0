import { expect, test } from 'vitest';
import { until, untilNone } from './until.ts';

test('waits for the first value that is neither undefined nor false', async () => {
  const values = [undefined, false, 0];
  expect(await until('a value', () => values.shift())).toBe(0);
  expect(values).toEqual([]);
});

test('names what did not come when the deadline passes', async () => {
  await expect(until('rain', () => false, 30)).rejects.toThrow('not within 0.03 s: rain');
});

test('waits until a list is empty, and names what is still in it when the deadline passes', async () => {
  const left = ['a', 'b'];
  await untilNone('nothing is left', () => left.splice(1));
  await untilNone('nothing is left', () => left.splice(2));
  await expect(untilNone('nothing is left', () => left, 30)).rejects.toThrow(
    'not within 0.03 s: nothing is left, but there is a',
  );
});
