/**
 * `node scripts/run.mjs PROGRAM.ts …`: sets the checkout up and runs one of its programs under the Node that comes with the packages. A shell
 * that has looked `node` up once would start the machine's own, which may not know TypeScript. Plain JavaScript for whatever Node that is.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setUp } from './set-up.mjs';

setUp();
const child = spawn(join(import.meta.dirname, '../node_modules/.bin/node'), process.argv.slice(2), {
  stdio: 'inherit',
});
// From a terminal the program hears of Ctrl-C itself, and has things to end before it ends.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal];
});
