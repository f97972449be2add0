/** For the time of one simulation, whatever draws at random by itself draws the same in every run of a seed. */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { Random } from '../core/fake-cluster.ts';

/** Returns what makes chance chance again. */
export function steadyRandom(seed: number): () => void {
  const { random } = Math;
  const { randomUUID } = crypto;
  const steady = new Random(seed);
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => steady.below(16).toString(16)).join('');
  Math.random = () => steady.next();
  crypto.randomUUID = () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`;
  // For those who import it by name.
  syncBuiltinESMExports();
  return () => {
    Math.random = random;
    crypto.randomUUID = randomUUID;
    syncBuiltinESMExports();
  };
}
