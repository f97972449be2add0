/** `millrace bench`: the benchmark of the checkout that this command line is in. It needs the sources: a package from npm has none. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { MillraceError } from '../lib/errors.ts';

/** From cli/ of the sources, and from cli/ of dist/. */
const places = ['../bench/main.ts', '../../bench/main.ts'];

export function define(command: Command): void {
  command
    .argument('[OPTIONS...]', 'as `millrace bench --help` lists them')
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments(true)
    .action(bench);
}

async function bench(options: readonly string[]): Promise<void> {
  const program = places.map((place) => join(import.meta.dirname, place)).find(existsSync);
  if (program === undefined)
    throw new MillraceError(
      'invalid-argument',
      'the benchmark is not in the npm package: it runs in a checkout of Millrace, with its sources, as npx millrace bench',
    );
  const child = spawn(process.execPath, [program, ...options], { stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  process.exitCode = code ?? 1;
}
