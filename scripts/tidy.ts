/** The repository checks itself: `node scripts/tidy.ts [--all]`. Exit code 1 when a rule is broken; `--all` lists the warnings too. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  checkBans,
  checkDead,
  checkImports,
  checkLinks,
  checkLock,
  checkMarkers,
  checkSizes,
  entryPoints,
  type Problem,
} from './tidy-rules.ts';
import { parseSource } from './tidy-source.ts';

const root = join(import.meta.dirname, '..');
const ignored = new Set(['node_modules', 'dist', '.git', '.millrace', 'coverage', 'gen']);
const read = (path: string) => readFileSync(join(root, path), 'utf8');

function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (ignored.has(entry.name)) return [];
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

/** What names the programs that people and machines start. */
const started = ['package.json', 'vitest.config.ts', 'docker-compose.yml'];

const paths = filesUnder('').sort();
const sources = paths
  .filter((path) => /\.m?ts$|\.mjs$/.test(path))
  .map((path) => parseSource({ path, text: read(path) }));
const documents = paths.filter((path) => path.endsWith('.md')).map((path) => ({ path, text: read(path) }));
const exists = (path: string) => existsSync(join(root, path));
const textOf = (path: string) => (path.endsWith('.md') ? read(path) : undefined);

const problems: Problem[] = [
  ...sources.flatMap((file) => [...checkSizes(file), ...checkImports(file), ...checkBans(file)]),
  // The rules and their tests name the markers they look for.
  ...sources.filter(({ path }) => !path.startsWith('scripts/tidy')).flatMap(checkMarkers),
  ...checkDead(sources, entryPoints(started.map(read).join(''))),
  ...documents.flatMap((file) => checkLinks(file, exists, textOf)),
  ...checkLock(read('package-lock.json')),
];

const errors = problems.filter(({ level }) => level === 'error');
const warnings = problems.filter(({ level }) => level === 'warning');
for (const problem of process.argv.includes('--all') ? problems : errors) {
  console.error(`${problem.path}:${problem.line}  ${problem.level}  ${problem.rule}: ${problem.message}`);
}
console.error(
  `tidy: ${sources.length} source files, ${documents.length} documents, ${errors.length} errors, ` +
    `${warnings.length} over a soft limit${warnings.length > 0 ? ' (--all lists them)' : ''}`,
);
if (errors.length > 0) process.exitCode = 1;
