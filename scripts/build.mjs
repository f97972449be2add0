/**
 * Makes dist/ from the sources: few files, because a program that loads hundreds of them starts late, and the declarations of what
 * users import. The packages of which nearly every command needs most are in these files; docs/decisions/0018 has the reasons.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
/** Built aside and then put in place, so that nobody starts a half of it. */
const fresh = join(root, '.millrace/build/dist');

/** What is started or imported by its path. Those of one line share what they have in common. */
const programs = [
  ['cli/main', 'sdk/index', 'sdk/testing', 'minio/set-up'],
  ['worker/user/slot-thread'],
  ['sdk/describe-thread'],
  // Goes into the bundle of each job.
  ['sdk/job-side'],
];

/** In each file of dist/, before all else. */
const banner = [
  // For CommonJS packages, which require Node's own modules.
  `import { createRequire as __createRequire } from 'node:module'`,
  `import { fileURLToPath as __toPath } from 'node:url'`,
  'const require = __createRequire(import.meta.url), __fileUrl = import.meta.url;',
].join(';');

/** In a source, `import.meta` says where its own file would be if each were built to one: so it finds what lies beside it. */
const ownPlaces = {
  name: 'own-places',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const own = relative(root, path).split(sep).join('/');
      const text = readFileSync(path, 'utf8');
      if (own.startsWith('node_modules/') || !/import\.meta\.(dirname|filename|url)/.test(text))
        return undefined;
      const built = JSON.stringify(`/dist/${own.replace(/ts$/, 'js')}`);
      const head = [
        `const __ownUrl = __fileUrl.replace(/\\/dist\\/(?!.*\\/dist\\/).*$/, ${built})`,
        '__ownFilename = __toPath(__ownUrl)',
        `__ownDirname = __toPath(new URL('.', __ownUrl)).slice(0, -1)`,
      ].join(',');
      // On the first line, so that lines keep their numbers.
      return { contents: `${head};${text}`, loader: 'ts' };
    });
  },
};

const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** Packages that come with ours are loaded when they are used; of those for development, which do not, what we import is built in. */
const external = Object.keys(dependencies);
/** Only for tests and tools. */
const never = Object.keys(devDependencies).filter((name) => name.startsWith('@types/') || name === 'vitest');

async function bundle(entries) {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: entries.map((entry) => `${entry}.ts`),
    // Where they will be: source maps name the sources relative to that.
    outdir: dist,
    write: false,
    outbase: root,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    external: [...external, ...never],
    plugins: [ownPlaces],
    define: {
      'import.meta.url': '__ownUrl',
      'import.meta.filename': '__ownFilename',
      'import.meta.dirname': '__ownDirname',
      // Whichever program a source became part of, it is not the one that was started.
      'import.meta.main': 'false',
    },
    banner: { js: banner },
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  for (const { path, contents } of outputFiles) {
    const place = join(fresh, relative(dist, path));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, contents);
  }
  return Object.keys(metafile.inputs);
}

/** The licences of the packages that are in our files. */
function licencesOf(inputs) {
  const folders = inputs.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  const texts = [...new Set(folders)].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? readFileSync(join(root, folder, file), 'utf8') : '';
    return `${name} ${version} (${license})\n\n${text.trim()}\n`;
  });
  return `This software contains these packages.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

function declare() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const args = [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', fresh];
  const done = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${done.stdout}${done.stderr}`);
}

rmSync(fresh, { recursive: true, force: true });
const inputs = await Promise.all(programs.map(bundle));
declare();
writeFileSync(join(fresh, 'LICENSES.txt'), licencesOf(inputs.flat()));
chmodSync(join(fresh, 'cli/main.js'), 0o755);
const old = `${fresh}.old`;
rmSync(old, { recursive: true, force: true });
if (existsSync(dist)) renameSync(dist, old);
renameSync(fresh, dist);
rmSync(old, { recursive: true, force: true });
