/** For each word the documents it is in. */
import { defineJob } from 'millrace';

export default defineJob(import.meta, {
  name: 'inverted-index',
  *map(line) {
    const [document = '', text = ''] = line.split('\t');
    for (const word of new Set(text.split(' '))) yield [word, document];
  },
  *reduce(word, documents) {
    yield [word, [...documents].sort().join(',')];
  },
});
