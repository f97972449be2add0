/** Counts Zipf words given as strings: 4 million, of 200,000. */
import { CombineTable } from '../../worker/map/combine-table.ts';
import { seededRandom } from '../generators/seeded-random.ts';
import { cpuOf, measureStages, type Rate } from './rate.ts';

const vocabulary = 200_000;
const words = 4_000_000;

export function combineTable(): Promise<Rate[]> {
  const emitted = zipfWords();
  const add = () => {
    const table = new CombineTable('sum');
    for (const word of emitted) if (!table.add(word, 1)) throw new Error('the table is full');
  };
  return measureStages('Zipf words', words, 'ops/s', () => ({ add: cpuOf(add) }));
}

/** Cut out of one text, as a user's map would. */
function zipfWords(): string[] {
  const random = seededRandom(1);
  const list = Array.from(
    { length: vocabulary },
    (_, rank) => `${rank.toString(36)}${'etaoinshrdlu'.slice(0, random() % 8)}`,
  );
  const pick = () => list[Math.floor(vocabulary ** (random() / 2 ** 32)) - 1];
  return Array.from({ length: words }, pick).join(' ').split(' ');
}
