/** The version of this software, from its package.json. */
import { readFileSync } from 'node:fs';
import { MillraceError } from './errors.ts';

let version: string | undefined;

/** Such as `0.1.0`. Throws `internal` when the package is not whole. */
export function softwareVersion(): string {
  version ??= readVersion();
  return version;
}

function readVersion(): string {
  // The sources are in lib/, the built file in dist/lib/.
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const found = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
      if (found.name === 'millrace' && typeof found.version === 'string') return found.version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new MillraceError('internal', 'the package.json of millrace is missing');
}
