import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { answerDigest, answerFiles, answerMistake } from './answer.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-answer-'));
afterAll(() => rmSync(folder, { recursive: true }));

let outputs = 0;
function file(text: string): string {
  const path = join(folder, `file-${outputs++}`);
  writeFileSync(path, text);
  return path;
}
function parts(...texts: readonly string[]): string {
  const path = join(folder, `folder-${outputs++}`);
  mkdirSync(path);
  for (const [index, text] of texts.entries()) writeFileSync(join(path, `part-r-0000${index}`), text);
  writeFileSync(join(path, '_SUCCESS'), 'no part of the answer');
  return path;
}
const lines = (output: string) => answerDigest('lines', output);
const bytes = (output: string) => answerDigest('bytes', output);

describe('answerDigest', () => {
  it('takes lines in any order, in parts or in one file, with or without an end of the last', async () => {
    const wanted = await lines(file('a\t1\nb\t2\nc\t3\n'));
    expect(await lines(parts('b\t2\n', '', 'c\t3\na\t1\n'))).toBe(wanted);
    expect(await lines(file('c\t3\nb\t2\na\t1'))).toBe(wanted);
  });

  it.each([
    ['is changed', 'a\t1\nb\t3\n'],
    ['is missing', 'a\t1\n'],
    ['comes twice', 'a\t1\nb\t2\nb\t2\n'],
    ['is empty', 'a\t1\nb\t2\n\n'],
  ])('notices a line that %s', async (_what, text) => {
    expect(await lines(file(text))).not.toBe(await lines(file('a\t1\nb\t2\n')));
  });

  it('takes lines that are longer than a chunk', async () => {
    const long = 'x'.repeat(3_000_000);
    expect(await lines(file(`${long}\nshort\n`))).toBe(await lines(file(`short\n${long}\n`)));
    expect(await lines(file(`${long}y\nshort\n`))).not.toBe(await lines(file(`short\n${long}\n`)));
  });

  it('keeps to the order where it counts', async () => {
    expect(await bytes(parts('a\n', 'b\n'))).toBe(await bytes(file('a\nb\n')));
    expect(await bytes(parts('b\n', 'a\n'))).not.toBe(await bytes(file('a\nb\n')));
  });

  it('refuses a folder without parts', () => {
    expect(() => answerFiles(folder)).toThrow(/there are no parts/);
  });
});

describe('answerMistake', () => {
  const record = (key: string) => `${key.padEnd(99)}\n`;

  it('compares a sort with its input', () => {
    const input = file(record('b') + record('a'));
    expect(answerMistake('sorted', input, parts(record('a'), record('b')))).toBeUndefined();
    expect(answerMistake('sorted', input, parts(record('b'), record('a')))).toMatch(/below the one before/);
  });
});
