/** Which files are this package's own code: in a checkout and by the source maps of what is built `sdk/x.ts`, else anything in `dist/`. */
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const codeRoot = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');
const packageFolder = basename(codeRoot) === 'dist' ? dirname(codeRoot) : codeRoot;
const codeFolders: ReadonlySet<string> = new Set(['lib', 'sdk', 'worker', 'coordinator', 'cli', 'proto']);

/** The path of one of our files within the package, `sdk/bundle.ts` or `chunks/x.js`; undefined for any other file. */
export function ownPath(path: string): string | undefined {
  const parts = relative(packageFolder, path).split(sep);
  if (parts[0] === 'dist') return parts.slice(1).join('/');
  return parts[0] !== undefined && codeFolders.has(parts[0]) ? parts.join('/') : undefined;
}

/** Whether a file is in the packages that this one brought along. */
export function isOwnDependency(path: string): boolean {
  return path.startsWith(join(packageFolder, 'node_modules', sep));
}
