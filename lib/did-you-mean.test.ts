import { expect, test } from 'vitest';
import { didYouMean } from './did-you-mean.ts';

const options = ['name', 'input', 'output', 'reducers', 'reduce', 'splitSize'];

test.each([
  ['reducer', 'reducers'],
  ['redcue', 'reduce'],
  ['inptu', 'input'],
  ['splitsize', 'splitSize'],
  ['Name', 'name'],
])('%s is taken for %s', (word, meant) => {
  expect(didYouMean(word, options)).toBe(`; did you mean '${meant}'?`);
});

test('a word unlike all others gets no guess', () => {
  expect(didYouMean('favouriteColour', options)).toBe('');
  expect(didYouMean('xyz', options)).toBe('');
});
