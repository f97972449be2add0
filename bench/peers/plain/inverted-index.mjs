/** For each word the documents it is in; lines are `document\tword word …`: `node inverted-index.mjs INPUT OUTPUT`. */
import { writeFileSync } from 'node:fs';
import { linesOf } from './lines.mjs';

const [input, output] = process.argv.slice(2);
const documentsOf = new Map();
for await (const line of linesOf(input)) {
  const [document, text] = line.split('\t');
  for (const word of text.split(' ')) {
    const documents = documentsOf.get(word);
    if (documents) documents.add(document);
    else documentsOf.set(word, new Set([document]));
  }
}
const lines = [...documentsOf].map(([word, documents]) => `${word}\t${[...documents].sort().join(',')}\n`);
writeFileSync(output, lines.sort().join(''));
