/**
 * Brings a checkout into a state where everything runs: packages installed as package-lock.json says, dist/ built from the
 * sources, `millrace` linked for npx. Plain JavaScript for whatever Node the machine has, with nothing installed.
 * Says one line for each thing it does, nothing when there is nothing to do, and all the output when something fails.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const at = (path) => join(root, path);
const stampPath = at('dist/.built');
const sourceFolders = ['lib', 'proto', 'coordinator', 'worker', 'sdk', 'cli', 'bench', 'minio'];
const bin = { target: 'dist/cli/main.js', link: 'node_modules/.bin/millrace' };

/** Exported for its test. Whether npm's own record of what it installed agrees with the lock file. */
export function isInstalled(lock, installed) {
  return Object.entries(lock.packages).every(([path, wanted]) => {
    const found = installed.packages[path];
    if (path === '') return true;
    if (!found) return wanted.optional === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

/** Exported for its test. Whether a source is gone, new or changed since the build of the stamp. */
export function isBuildNeeded(sources, stamp, changedMs) {
  if (!stamp) return true;
  const now = new Set(sources);
  if (stamp.sources.some((path) => !now.has(path))) return true;
  const known = new Set(stamp.sources);
  return sources.some((path) => !known.has(path) || changedMs(path) > stamp.builtMs);
}

function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** Runs to the end; a failure prints what the command said and ends this program. */
function must(what, command, args) {
  const done = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (done.status === 0) return;
  process.stderr.write(
    `${done.stdout ?? ''}${done.stderr ?? ''}${done.error ? `${done.error.message}\n` : ''}`,
  );
  process.stderr.write(`set-up: ${what} failed\n`);
  process.exit(1);
}

function install() {
  const installed = readJson(at('node_modules/.package-lock.json'));
  const lock = readJson(at('package-lock.json'));
  if (installed && isInstalled(lock, installed) && existsSync(at('node_modules/node/bin/node'))) return;
  process.stderr.write('set-up: installing packages (npm ci)\n');
  must('npm ci', 'npm', ['ci', '--no-audit', '--no-fund']);
}

/** What the build reads, relative to the root, in a fixed order. */
function listSources() {
  const sources = sourceFolders.flatMap((folder) =>
    existsSync(at(folder))
      ? readdirSync(at(folder), { recursive: true })
          .map((name) => `${folder}/${String(name).replaceAll('\\', '/')}`)
          .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
      : [],
  );
  const others = [
    'package-lock.json',
    'package.json',
    'scripts/build.mjs',
    'tsconfig.build.json',
    'tsconfig.json',
  ];
  return [...sources, ...others].sort();
}

function build() {
  const sources = listSources();
  const stamp = existsSync(stampPath)
    ? { sources: readFileSync(stampPath, 'utf8').split('\n'), builtMs: statSync(stampPath).mtimeMs }
    : undefined;
  if (!isBuildNeeded(sources, stamp, (path) => statSync(at(path)).mtimeMs)) return;
  process.stderr.write('set-up: building dist\n');
  const startedAt = new Date();
  must('the build', at('node_modules/.bin/node'), [at('scripts/build.mjs')]);
  writeFileSync(stampPath, sources.join('\n'));
  // A source saved while the compiler ran counts as newer.
  utimesSync(stampPath, startedAt, startedAt);
}

/** npm links the bins of dependencies, not the package's own; with this link `npx millrace` starts in place, without an install. */
function link() {
  if (!existsSync(at(bin.target))) return;
  const target = join('../..', bin.target);
  if (existsSync(at(bin.link)) && readlinkSync(at(bin.link)) === target) return;
  rmSync(at(bin.link), { force: true });
  symlinkSync(target, at(bin.link));
}

export function setUp() {
  install();
  build();
  link();
}

if (realpathSync(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) setUp();
