import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);

/** The one block of TypeScript in README.md that has this text in it. Throws unless there is exactly one. */
export function readmeCode(text: string): string {
  const [found, ...others] = blocks.filter((code) => code.includes(text));
  if (found !== undefined && others.length === 0) return found;
  throw new Error(
    `README.md has ${found ? others.length + 1 : 'no'} blocks of code with ${JSON.stringify(text)}`,
  );
}
