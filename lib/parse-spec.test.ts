import { describe, expect, test } from 'vitest';
import { limits } from './limits.ts';
import { parseSubmittedSpec } from './parse-spec.ts';

const good = {
  name: 'word count',
  bundleSha256: 'a'.repeat(64),
  input: { kind: 'lines' },
  output: { kind: 'tsv', compression: 'none' },
  inputPatterns: ['file:///in/*.txt'],
  outputUri: 'file:///out/',
  ifExists: 'fail',
  params: { pattern: 'x', limit: 3, strict: true },
  reducers: 4,
  partition: 'hash',
  splitBytes: 1024,
  priority: 0,
  attemptsMax: 4,
  taskTimeoutMs: 1000,
};

test('a good spec comes back with nothing but the known fields', () => {
  const parsed = parseSubmittedSpec(JSON.stringify({ ...good, jobId: 'mine', extra: 1 }));
  expect(parsed).toEqual({ ...good, maps: undefined });
});

test.each([
  { kind: 'fixedLength', bytes: 10 },
  { kind: 'fixedLength', bytes: 10, keyBytes: 4 },
  { kind: 'words', separators: 'whitespace' },
])('the input format %j arrives whole', (input) => {
  expect(parseSubmittedSpec(JSON.stringify({ ...good, input })).input).toEqual(input);
});

describe('refused, naming the field', () => {
  const wrong: [string, unknown][] = [
    ['name', ''],
    ['name', 'a\nb'],
    ['bundleSha256', 'zz'],
    ['input', { kind: 'parquet' }],
    ['input', { kind: 'fixedLength', bytes: 0 }],
    ['input', { kind: 'fixedLength', bytes: 10, keyBytes: 11 }],
    ['input', { kind: 'words', separators: 'vowels' }],
    ['input', { kind: 'csv', header: true, delimiter: '"', quotedNewlines: true }],
    ['output', { kind: 'tsv', compression: 'lz4' }],
    ['inputPatterns', []],
    ['inputPatterns', ['/relative']],
    ['outputUri', 'file:///out'],
    ['ifExists', 'overwrite'],
    ['params', { a: { b: 1 } }],
    ['params', []],
    ['reducers', -1],
    ['reducers', 1.5],
    ['reducers', limits.reduceTasksMax + 1],
    ['splitBytes', 0],
    ['maps', 0],
    ['priority', '1'],
    ['attemptsMax', 0],
    ['taskTimeoutMs', null],
  ];
  test.each(wrong)('%s = %j', (field, value) => {
    const parse = () => parseSubmittedSpec(JSON.stringify({ ...good, [field]: value }));
    expect(parse).toThrow(new RegExp(field === 'input' ? 'input' : field));
  });

  test('a param called __proto__ changes no prototype', () => {
    const text = JSON.stringify(good).replace('"pattern"', '"__proto__"');
    expect(() => parseSubmittedSpec(text)).toThrow(/__proto__/);
  });

  test('text that is not JSON', () => {
    expect(() => parseSubmittedSpec('{')).toThrow(/not JSON/);
  });
});
