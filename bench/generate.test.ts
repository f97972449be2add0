import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type GeneratedKind, generate, generatedKinds } from './generate.ts';
import { accessLogLine, grepPattern } from './scenarios/scenario-name.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-generate-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** All files of a folder, in the order of their names. */
function textOf(path: string): string {
  if (!statSync(path).isDirectory()) return readFileSync(path, 'latin1');
  return readdirSync(path)
    .sort()
    .map((name) => textOf(join(path, name)))
    .join('');
}

function make(kind: GeneratedKind, size: number, seed?: number): string {
  const path = join(folder, `${kind}-${size}-${seed}`);
  const bytes = generate(kind, size, path, seed);
  const text = textOf(path);
  expect(text).toHaveLength(bytes);
  return text;
}
const linesOf = (text: string) => text.split('\n').slice(0, -1);
const sha256 = (text: string) => createHash('sha256').update(text, 'latin1').digest('hex').slice(0, 16);

const golden: Readonly<Record<GeneratedKind, string>> = {
  zipf: '1641ab5a307da3d7',
  records: '741ccf47d0d2c713',
  gensort: '6c26b26a61464dd7',
  'access-log': 'acf6775c00ca6a64',
  documents: '2681cd899e32c1bf',
  events: 'd4c06c66ca0a69ec',
  skewed: '4a0908eaf59bad29',
  'one-key': 'fcf7ffed76d248d4',
  'distinct-keys': '2f118e2597d323d5',
  'small-files': '2670b89256f23579',
};

describe('generate', () => {
  it.each(generatedKinds)('%s: the same bytes for the same seed on every machine', (kind) => {
    expect(sha256(make(kind, 100_000))).toBe(golden[kind]);
  });

  it.each(generatedKinds.filter((kind) => !kind.endsWith('-key') && !kind.endsWith('-keys')))(
    '%s: other bytes for another seed, and about as many as wanted',
    (kind) => {
      const texts = [make(kind, 50_000, 1), make(kind, 50_000, 2)];
      expect(texts[0]).not.toBe(texts[1]);
      for (const { length } of texts) expect(Math.abs(length - 50_000)).toBeLessThan(10_000);
    },
  );

  it('writes words as often as Zipf says: rank r a 1/r of the first', () => {
    const counts = new Map<string, number>();
    for (const word of make('zipf', 1_000_000).split(/\s+/)) counts.set(word, (counts.get(word) ?? 0) + 1);
    const [a, b, , d] = ['a', 'b', 'c', 'd'].map((word) => counts.get(word) ?? 0);
    expect(a! / b!).toBeCloseTo(2, 0);
    expect(a! / d!).toBeCloseTo(4, 0);
    expect(counts.size).toBeGreaterThan(10_000);
  });

  it('writes lines of 8 to 15 words, few of which a grep finds', () => {
    const lines = linesOf(make('zipf', 1_000_000));
    for (const line of lines.slice(0, 1_000)) expect(line).toMatch(/^[A-Za-z]+( [A-Za-z]+){7,14}$/);
    const found = lines.filter((line) => line.includes(grepPattern)).length;
    expect(found).toBeGreaterThan(0);
    expect(found).toBeLessThan(lines.length / 500);
  });

  it('writes the records that gensort -a writes', () => {
    // The first three of its documentation.
    expect(make('gensort', 300).split('\r\n').slice(0, 3)).toEqual([
      'AsfAGHM5om  00000000000000000000000000000000  0000222200002222000022220000222200002222000000001111',
      '~sHd0jDv6X  00000000000000000000000000000001  77779999444488885555CCCC777755555555BBBB666644446666',
      'uI^EYm8s=|  00000000000000000000000000000002  CCCCFFFF777799995555FFFF11112222999988884444DDDDFFFF',
    ]);
  });

  it('writes records of 100 bytes, each a line, with keys of 10 printable bytes', () => {
    const lines = linesOf(make('records', 10_050));
    expect(lines).toHaveLength(100);
    for (const line of lines) expect(line).toMatch(/^[!-~]{10} \d{10} [a-z]{77}$/);
  });

  it('writes access logs of the promised format', () => {
    for (const line of linesOf(make('access-log', 20_000))) {
      expect(accessLogLine.exec(line)?.slice(1)).toEqual([
        expect.stringMatching(/^\/articles\/\d+\/comments$/),
        expect.stringMatching(/^\d{3}$/),
        expect.stringMatching(/^\d+$/),
      ]);
    }
  });

  it('writes documents, and JSON lines with large bodies', () => {
    for (const line of linesOf(make('documents', 20_000)))
      expect(line).toMatch(/^d\d{8}\t[A-Za-z]+( [A-Za-z]+){31,62}$/);
    for (const line of linesOf(make('events', 50_000))) {
      const { user, body } = JSON.parse(line) as { user: string; body: string };
      expect(user).toMatch(/^u\d{5}$/);
      expect(body.length).toBeGreaterThanOrEqual(512);
      expect(body.length).toBeLessThan(4096);
    }
  });

  it('gives one key half of all values', () => {
    const lines = linesOf(make('skewed', 200_000));
    const hot = lines.filter((line) => line.startsWith('hot ')).length;
    expect(hot / lines.length).toBeCloseTo(0.5, 1);
  });

  it('writes one key, or one per line', () => {
    const keys = (kind: GeneratedKind) =>
      new Set(linesOf(make(kind, 1_000)).map((line) => line.split(' ')[0]));
    expect(keys('one-key').size).toBe(1);
    expect(keys('distinct-keys').size).toBe(1_000);
  });
});
