/** Inverted index: for each word, in lower case, the sorted names of the files it is in. */
import { defineJob, tsv, wholeFile } from 'millrace';

export default defineJob(import.meta, {
  name: 'inverted-index',
  input: wholeFile(),
  *map(text, ctx) {
    const fileName = ctx.source.uri.slice(ctx.source.uri.lastIndexOf('/') + 1);
    for (const word of new Set(text.toLowerCase().split(/[^a-z]+/))) if (word) yield [word, fileName];
  },
  *reduce(word, fileNames) {
    yield [word, [...new Set(fileNames)].sort()];
  },
  output: tsv(),
});
