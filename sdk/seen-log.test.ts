import { expect, test } from 'vitest';
import type { LogLine } from './handle.ts';
import { SeenLog } from './seen-log.ts';

const lineOf = (text: string): LogLine => ({ task: 'm0', attempt: 0, atMs: text.length, text });

async function read(seen: SeenLog, texts: readonly string[]): Promise<string[]> {
  async function* stream() {
    for (const text of texts) yield lineOf(text);
  }
  const found: string[] = [];
  for await (const { text } of seen.withoutSeen(stream())) found.push(text);
  return found;
}

test('a stream that is opened again at the same coordinator goes on where it broke', async () => {
  const seen = new SeenLog();
  expect(await read(seen, ['a', 'b'])).toEqual(['a', 'b']);
  expect(await read(seen, [])).toEqual([]);
  expect(await read(seen, ['a', 'b', 'c'])).toEqual(['c']);
  expect(await read(seen, ['a'])).toEqual([]);
  expect(await read(seen, ['a', 'b', 'c', 'd'])).toEqual(['d']);
});

test('a coordinator that has taken over has other lines, and that is said once', async () => {
  const seen = new SeenLog();
  await read(seen, ['a', 'b']);
  expect(await read(seen, ['x', 'y'])).toEqual([expect.stringMatching(/broke.*may be missing/), 'x', 'y']);
  expect(await read(seen, ['x', 'y', 'z'])).toEqual(['z']);
});
