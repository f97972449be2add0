/** All bugs on purpose, to be switched on one at a time. */
import { attemptMutants } from './mutants/attempts.ts';
import { commitMutants } from './mutants/commit.ts';
import { journalMutants } from './mutants/journal.ts';
import type { Mutant } from './mutants/mutant.ts';
import { shuffleMutants } from './mutants/shuffle.ts';
import { workerMutants } from './mutants/workers.ts';

export type { Mutant };

export const mutants: readonly Mutant[] = [
  ...journalMutants,
  ...attemptMutants,
  ...shuffleMutants,
  ...commitMutants,
  ...workerMutants,
];
