/** What a program wrote, made comparable with what another one wrote, whatever its size. */
import { createHash, hash } from 'node:crypto';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sortMistake, validateSort } from '../sort-validator.ts';
import type { Scenario } from './scenarios.ts';

const newline = 10;
const chunkBytes = 1024 * 1024;
/** Of a digest that is added up: the sum stays a whole number of a double. */
const sumBytes = 6;
const sumLimit = 2 ** (8 * sumBytes);

/** The file itself, or the `part-*` of a folder in the order of their names. Throws when there is neither. */
export function answerFiles(output: string): string[] {
  if (!statSync(output).isDirectory()) return [output];
  const parts = readdirSync(output).filter((name) => name.startsWith('part-'));
  if (parts.length === 0) throw new Error(`there are no parts in ${output}`);
  return parts.sort().map((name) => join(output, name));
}

/** Equal for equal answers; of lines in any order unless the order counts. */
export async function answerDigest(kind: Scenario['answer'], output: string): Promise<string> {
  const files = answerFiles(output);
  if (kind === 'lines') return linesDigest(files);
  const whole = createHash('sha256');
  for (const file of files) for await (const chunk of createReadStream(file)) whole.update(chunk);
  return whole.digest('hex');
}

/** Of the first answer, before others are compared with it: what is wrong with it by itself. */
export function answerMistake(kind: Scenario['answer'], input: string, output: string): string | undefined {
  if (kind !== 'sorted') return undefined;
  return sortMistake(validateSort([input]), validateSort(answerFiles(output)));
}

/** How many lines there are, and the sums of two parts of their digests, which do not depend on the order. */
async function linesDigest(files: readonly string[]): Promise<string> {
  let count = 0;
  const sums = [0, 0];
  for (const file of files) {
    for await (const line of linesOf(file)) {
      const digest = hash('sha1', line, 'buffer');
      for (const at of sums.keys())
        sums[at] = (sums[at]! + digest.readUIntBE(at * sumBytes, sumBytes)) % sumLimit;
      count++;
    }
  }
  return [count, ...sums].join('-');
}

/** Each without its end; so is the last one, which may have none. */
async function* linesOf(file: string): AsyncGenerator<Buffer> {
  let begun: Buffer[] = [];
  for await (const chunk of createReadStream(file, { highWaterMark: chunkBytes })) {
    const bytes = chunk as Buffer;
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      yield Buffer.concat([...begun, bytes.subarray(start, end)]);
      begun = [];
      start = end + 1;
    }
    if (start < bytes.length) begun.push(bytes.subarray(start));
  }
  if (begun.length > 0) yield Buffer.concat(begun);
}
