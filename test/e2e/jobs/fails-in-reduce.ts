/** Counts words; the reduce of one word throws after it has looked at its values. */
import { defineJob } from 'millrace';

export default defineJob(import.meta, {
  name: 'fails-in-reduce',
  params: { word: '' },
  reducers: 2,
  *map(line) {
    for (const word of line.split(/\W+/)) if (word) yield [word, 1];
  },
  *reduce(word, counts, ctx) {
    let total = 0;
    for (const count of counts) total += count;
    check(word, total, ctx.params.word);
    yield [word, total];
  },
});

function check(word: string, total: number, forbidden: string): void {
  if (word === forbidden) throw new RangeError(`${total} times ${word} is too often`);
}
