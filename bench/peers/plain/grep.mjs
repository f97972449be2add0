/** Counts the lines that have a text in them: `node grep.mjs INPUT OUTPUT TEXT`. */
import { writeFileSync } from 'node:fs';
import { linesOf } from './lines.mjs';

const [input, output, text] = process.argv.slice(2);
let found = 0;
for await (const line of linesOf(input)) if (line.includes(text)) found++;
writeFileSync(output, `${found}\n`);
