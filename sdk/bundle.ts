/** A job file and all it imports as one self-contained ES module, the same bytes for the same files: what is sent to the cluster. */
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, BuildResult, Metafile } from 'esbuild';
import { checkLimit, limits } from '../lib/limits.ts';
import { ownPath } from '../lib/own-code.ts';
import { formatBytes } from '../lib/units.ts';
import { ownScheme, userSourceUrl } from '../lib/user-stack.ts';
import { buildError } from './build-error.ts';
import { bundlePlugin } from './bundle-plugin.ts';
import { type DescribeThread, describeJob, type JobDescriptor, startDescribeThread } from './describe-job.ts';
import { jobFileError } from './job-file-error.ts';

export interface Bundle {
  readonly code: Uint8Array;
  /** Of `code`, in hex. */
  readonly sha256: string;
  readonly bytes: number;
  readonly descriptor: JobDescriptor;
}

const extensions = ['.ts', '.mts', '.js', '.mjs'];

/** For CommonJS packages, which `require` Node's own modules. Only where it is used: a job may have its own `require`. */
const requireBanner =
  "import { createRequire as __millraceCreateRequire } from 'node:module';const require = __millraceCreateRequire(import.meta.url);";

/**
 * Bundles a job file (a path or a `file:` URL) and loads it once to check it. Throws `job-file` for what cannot be found, built or
 * loaded, with the place in the user's source; `limit-exceeded` for a bundle over `bytesMax`.
 */
export async function bundleJob(
  jobFile: string,
  options: { readonly bytesMax?: number } = {},
): Promise<Bundle> {
  const entry = locate(jobFile);
  // Starts while the bundle is built.
  const thread = startDescribeThread();
  try {
    return await bundleEntry(entry, thread, options.bytesMax ?? limits.bundleBytesMax);
  } finally {
    await thread.terminate();
  }
}

async function bundleEntry(entry: string, thread: DescribeThread, bytesMax: number): Promise<Bundle> {
  const root = projectRoot(entry);
  const { code, metafile } = await build(entry, root);
  const shown = relative(root, entry);
  checkLimit(
    `the bundle of ${shown}, in bytes,`,
    code.length,
    bytesMax,
    `import less${largestParts(metafile)}`,
  );
  const sha256 = createHash('sha256').update(code).digest('hex');
  return {
    code,
    sha256,
    bytes: code.length,
    descriptor: await describeJob(code, { jobFile: shown, thread }),
  };
}

function locate(jobFile: string): string {
  const path = resolve(jobFile.startsWith('file://') ? fileURLToPath(jobFile) : jobFile);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat)
    throw jobFileError(
      `there is no job file ${jobFile}${isAbsolute(jobFile) ? '' : ` (looked for ${path})`}`,
    );
  if (!stat.isFile()) throw jobFileError(`${jobFile} is not a file; a job is one file with a default export`);
  if (extensions.includes(extname(path))) return path;
  throw jobFileError(`a job file ends with ${extensions.join(', ')}; got ${jobFile}`);
}

/** Paths in stack traces are relative to the folder of the nearest package.json, else to that of the job file. */
function projectRoot(entry: string): string {
  const own = dirname(entry);
  for (let folder = own; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (dirname(folder) === folder) return own;
  }
}

async function build(entry: string, root: string): Promise<{ code: Buffer; metafile: Metafile }> {
  const esbuild = await import('esbuild');
  const once = async (banner: string) => {
    try {
      return splitOutput(await esbuild.build({ ...buildOptions(entry, root), banner: { js: banner } }));
    } catch (error) {
      throw buildError(error, relative(root, entry));
    }
  };
  let built = await once('');
  // What esbuild puts in for a `require` that it could not resolve at build time.
  if (built.code.includes('Dynamic require of')) built = await once(requireBanner);
  const map = JSON.stringify({ ...built.map, ...namedSources(built.map, root) });
  const base64 = Buffer.from(map).toString('base64');
  const code = Buffer.from(`${built.code}//# sourceMappingURL=data:application/json;base64,${base64}\n`);
  return { code, metafile: built.metafile };
}

function buildOptions(entry: string, root: string): BuildOptions & { metafile: true } {
  return {
    entryPoints: [entry],
    absWorkingDir: root,
    outfile: join(root, 'job.mjs'),
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    treeShaking: true,
    // Also drops the comments with paths, which would depend on where Millrace is installed.
    minifyWhitespace: true,
    charset: 'utf8',
    legalComments: 'none',
    sourcemap: 'external',
    sourcesContent: true,
    metafile: true,
    logLevel: 'silent',
    plugins: [bundlePlugin],
  };
}

interface SourceMapData {
  readonly sources: readonly string[];
  readonly sourcesContent: readonly (string | null)[];
}

function splitOutput(result: BuildResult<{ metafile: true }>): {
  code: string;
  map: SourceMapData;
  metafile: Metafile;
} {
  const files = result.outputFiles ?? [];
  const textOf = (extension: string) => files.find((file) => file.path.endsWith(extension))?.text ?? '';
  return {
    code: textOf('.mjs'),
    map: JSON.parse(textOf('.map')) as SourceMapData,
    metafile: result.metafile,
  };
}

/** Sources by project path; our own code by name only, so that a bundle says nothing about this machine. */
function namedSources(map: SourceMapData, root: string): SourceMapData {
  const sources = map.sources.map((source) => {
    const path = resolve(root, decodeURI(source));
    const own = ownPath(path);
    if (own !== undefined) return ownScheme + own;
    return userSourceUrl(relative(root, path).split(sep).join('/'));
  });
  const sourcesContent = map.sourcesContent.map((text, i) =>
    sources[i]?.startsWith(ownScheme) ? null : text,
  );
  return { sources, sourcesContent };
}

function largestParts(metafile: Metafile): string {
  const parts = Object.values(metafile.outputs)
    .flatMap((output) => Object.entries(output.inputs))
    .sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput)
    .slice(0, 3)
    .map(([path, { bytesInOutput }]) => `${path} (${formatBytes(bytesInOutput)})`);
  return parts.length === 0 ? '' : `; the largest parts are ${parts.join(', ')}`;
}
