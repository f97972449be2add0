/**
 * The most frequent words, in two jobs, the second on the output of the first:
 *
 *     node examples/top-k/main.ts 'examples/data/text/*.txt' .millrace/top-k
 */
import { join } from 'node:path';
import { run } from 'millrace';
import count from './count.ts';
import top from './top.ts';

/** Runs both jobs here; leaves the counts of all words in OUTPUT/counts and the k most frequent in OUTPUT/top. */
export async function topWords(input: string, output: string, k: number): Promise<void> {
  const counts = join(output, 'counts');
  await run(count, { input, output: counts, ifExists: 'replace' });
  await run(top, {
    input: join(counts, 'part-r-*'),
    output: join(output, 'top'),
    params: { k },
    ifExists: 'replace',
  });
}

if (import.meta.main) {
  const [input, output] = process.argv.slice(2);
  if (!input || !output) throw new Error('usage: node examples/top-k/main.ts INPUT OUTPUT');
  await topWords(input, output, 10);
}
