/** Second job of two: the k most frequent of the words that count.ts counted, the most frequent first. */
import { defineJob, jsonl, type OutputOf, tsv } from 'millrace';
import type counts from './count.ts';

type Counted = OutputOf<typeof counts>;

export default defineJob(import.meta, {
  name: 'top-k-top',
  params: { k: 10 },
  input: jsonl<Counted>(),
  *map(counted) {
    yield ['all', counted];
  },
  // Each map task keeps its own k best, so that hardly anything is sent to the one reducer.
  *combine(key, values, ctx) {
    for (const counted of best(values, ctx.params.k)) yield [key, counted];
  },
  *reduce(_key, values, ctx) {
    for (const { word, count } of best(values, ctx.params.k)) yield [word, count];
  },
  reducers: 1,
  output: tsv(),
});

/** The k most frequent; the same frequency, by word. Never holds more than 2 k. */
function best(values: Iterable<Counted>, k: number): Counted[] {
  const kept: Counted[] = [];
  const prune = () => {
    kept.sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1));
    kept.length = Math.min(kept.length, k);
  };
  for (const counted of values) {
    kept.push(counted);
    if (kept.length >= 2 * k) prune();
  }
  prune();
  return kept;
}
