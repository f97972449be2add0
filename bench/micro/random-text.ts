/** Printable ASCII from a seed, so that every run works on the same bytes. */
import { seededRandom } from '../generators/seeded-random.ts';

const printable = 95;
const firstPrintable = 32;

/** Each call makes another text of so many characters. */
export function randomText(seed: number): (length: number) => string {
  const random = seededRandom(seed);
  return (length) =>
    Array.from({ length }, () => String.fromCharCode(firstPrintable + (random() % printable))).join('');
}
