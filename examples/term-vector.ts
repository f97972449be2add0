/** Term vector per host: the most frequent words of all its pages. Input: one page per line, as JSON. */
import { defineJob, fold, jsonl, tsv } from 'millrace';

interface Page {
  url: string;
  text: string;
}

type TermVector = [word: string, frequency: number][];

export default defineJob(import.meta, {
  name: 'term-vector',
  /** How many words per host, and from how many letters on a word says something. */
  params: { top: 5, letters: 4 },
  input: jsonl<Page>(),
  *map(page, ctx) {
    const words = page.text
      .toLowerCase()
      .split(/[^a-z]+/)
      .filter((word) => word.length >= ctx.params.letters);
    yield [new URL(page.url).host, add(words.map((word) => [word, 1]))];
  },
  combine: fold<TermVector>((a, b) => add([...a, ...b])),
  *reduce(host, vectors, ctx) {
    const vector = add([...vectors].flat());
    vector.sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    yield [host, vector.slice(0, ctx.params.top)];
  },
  output: tsv(),
});

/** Each word once, with the sum of its frequencies. */
function add(terms: TermVector): TermVector {
  const sums = new Map<string, number>();
  for (const [word, frequency] of terms) sums.set(word, (sums.get(word) ?? 0) + frequency);
  return [...sums];
}
