/** Counts Zipf words given as strings. `node bench/micro/combine-table.ts` */
import { CombineTable } from '../../worker/map/combine-table.ts';

const vocabulary = 200_000;
const words = 4_000_000;
const rounds = 5;

let seed = 1;
function random(): number {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  return seed / 0x80000000;
}

const list = Array.from(
  { length: vocabulary },
  (_, rank) => `${rank.toString(36)}${'etaoinshrdlu'.slice(0, Math.floor(random() * 8))}`,
);
const text = Array.from({ length: words }, () => list[Math.floor(vocabulary ** random()) - 1]).join(' ');
// As a user's map would: words cut out of lines.
const emitted = text.split(' ');

const times: number[] = [];
let keys = 0;
for (let round = 0; round < rounds; round++) {
  const table = new CombineTable('sum');
  const start = performance.now();
  for (const word of emitted) if (!table.add(word, 1)) throw new Error('the table is full');
  times.push(performance.now() - start);
  keys = table.keys;
}
times.sort((a, b) => a - b);
const ms = times[times.length >> 1]!;
console.log(
  `${(words / ms / 1000).toFixed(1)} M words/s (${words} words, ${keys} keys, ${(text.length / ms / 1000).toFixed(0)} MB/s of text)`,
);
