import { describe, expect, test } from 'vitest';
import { hasGlob, parseGlob } from './glob.ts';

const cases: [pattern: string, matching: string[], other: string[]][] = [
  [
    'logs/*.gz',
    ['logs/a.gz', 'logs/é😀.gz'],
    ['logs/a.gzip', 'logs/x/a.gz', 'a.gz', 'logs/.gz', 'logs/_a.gz'],
  ],
  ['logs/?', ['logs/a', 'logs/😀'], ['logs/ab', 'logs/', 'logs/.', 'logs/_']],
  ['a?c', ['abc', 'a.c', 'a_c'], ['a/c', 'ac']],
  ['[a-c]x', ['ax', 'cx'], ['dx', '-x', 'a']],
  ['[!a-c]x', ['dx', 'éx'], ['ax', '/x', '.x']],
  ['x[]a]', ['x]', 'xa'], ['xb']],
  ['x[a-]', ['xa', 'x-'], ['xb']],
  ['x[z-a]', [], ['xz', 'xa', 'x-']],
  ['x[a', ['x[a'], ['xa']],
  ['{a,b}/c', ['a/c', 'b/c'], ['c', 'ab/c', '{a,b}/c']],
  ['a{b,c{d,e}}', ['ab', 'acd', 'ace'], ['ac', 'a']],
  ['a{,b}', ['a', 'ab'], ['a{,b}']],
  ['x{a,b', ['x{a,b'], ['xa']],
  ['{a}', ['{a}'], ['a']],
  ['{logs/*,*.txt}', ['logs/a', 'a.txt'], ['_a.txt', 'logs/_a', 'other/a']],
  ['**/x', ['x', 'a/x', 'a/b/x'], ['.git/x', 'ax', 'a/_b/x']],
  ['a/**', ['a/b', 'a/b/c'], ['a', 'ab', 'a/.b', 'a/b/_c']],
  ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['ab', 'a/xb']],
  ['a**b', ['ab', 'axxb'], ['a/b']],
  ['_*/.x', ['_a/.x', '_/.x'], ['a/.x']],
  ['a\\*b', ['a*b'], ['axb']],
  ['a.b+(c)|d^$', ['a.b+(c)|d^$'], ['axb+(c)|d^$']],
  ['\\{a,b}', ['{a,b}'], ['a', 'b']],
];

describe.each(cases)('the glob %s', (pattern, matching, other) => {
  const glob = parseGlob(pattern);
  test(`matches ${matching.join(' ')}`, () => {
    expect(matching.filter((key) => !glob.matches(key))).toEqual([]);
    expect(matching.filter((key) => !key.startsWith(glob.literalPrefix))).toEqual([]);
  });
  test(`does not match ${other.join(' ')}`, () => {
    expect(other.filter((key) => glob.matches(key))).toEqual([]);
  });
});

test('the literal prefix reaches to the first special character', () => {
  expect(parseGlob('logs/2024-*/x').literalPrefix).toBe('logs/2024-');
  expect(parseGlob('plain').literalPrefix).toBe('plain');
  expect(hasGlob('logs/plain.txt')).toBe(false);
});

test('a pattern with too many alternatives is refused', () => {
  expect(() => parseGlob('{a,b}'.repeat(12))).toThrow(
    /alternatives in one pattern is \d+, over the limit of 1000/,
  );
});
