import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type GeneratedKind, generate } from './generate.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-generate-'));
afterAll(() => rmSync(folder, { recursive: true }));

function make(kind: GeneratedKind, size: number, seed?: number): string {
  const path = join(folder, `${kind}-${size}-${seed}`);
  const bytes = generate(kind, size, path, seed);
  const text = readFileSync(path, 'latin1');
  expect(text).toHaveLength(bytes);
  return text;
}
const sha256 = (text: string) => createHash('sha256').update(text, 'latin1').digest('hex').slice(0, 16);

describe('generate', () => {
  it('gives the same bytes for the same seed on every machine', () => {
    expect(sha256(make('zipf', 100_000))).toBe('5ce779b8430b2740');
    expect(sha256(make('records', 100_000))).toBe('741ccf47d0d2c713');
  });

  it('gives other bytes for another seed', () => {
    expect(make('zipf', 10_000, 2)).not.toBe(make('zipf', 10_000, 1));
    expect(make('records', 10_000, 2)).not.toBe(make('records', 10_000, 1));
  });

  it('writes words as often as Zipf says: rank r a 1/r of the first', () => {
    const counts = new Map<string, number>();
    for (const word of make('zipf', 1_000_000).split(/\s+/)) counts.set(word, (counts.get(word) ?? 0) + 1);
    const [a, b, , d] = ['a', 'b', 'c', 'd'].map((word) => counts.get(word) ?? 0);
    expect(a! / b!).toBeCloseTo(2, 0);
    expect(a! / d!).toBeCloseTo(4, 0);
    expect(counts.size).toBeGreaterThan(10_000);
  });

  it('writes records of 100 bytes, each a line, with keys of 10 printable bytes', () => {
    const lines = make('records', 10_050).split('\n').slice(0, -1);
    expect(lines).toHaveLength(100);
    for (const line of lines) expect(line).toMatch(/^[!-~]{10} \d{10} [a-z]{77}$/);
  });

  it('writes one key, or one per line', () => {
    const keys = (kind: GeneratedKind) =>
      new Set(
        make(kind, 1_000)
          .split('\n')
          .slice(0, -1)
          .map((line) => line.split(' ')[0]),
      );
    expect(keys('one-key').size).toBe(1);
    expect(keys('distinct-keys').size).toBe(1_000);
  });
});
