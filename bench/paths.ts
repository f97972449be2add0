/** Where the benchmark finds the programs it measures: it runs from a checkout. */
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** The built command line; `scripts/set-up.mjs` builds it. */
export const cliPath = join(root, 'dist/cli/main.js');

/** A job file of bench/jobs. */
export function jobPath(name: string): string {
  return join(root, `bench/jobs/${name}.ts`);
}
