/**
 * The folder that an image is built from: the Dockerfile and what it copies. `app/` is the built package as npm would publish it, and the
 * set-up of MinIO; `node_modules/` are the production packages, out of the installed ones as package-lock.json pins them. So a build needs
 * no registry, and an image has the versions that were tested.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export interface LockedPackage {
  readonly dev?: boolean;
  readonly optional?: boolean;
}

/** Sources and types, source maps of other people's code, and what the build keeps for itself. */
const unneeded = /\.[cm]?ts(\.map)?$|\/node_modules\/.*\.map$|\/\.(built|tsbuildinfo)$/;

/**
 * The folders of the packages that an image needs, from the `packages` of a lock file. Types stay out, and so does esbuild: jobs are
 * bundled where they are submitted, and its program is that of the machine which builds, not that of the container.
 */
export function packagesForImage(packages: Readonly<Record<string, LockedPackage>>): string[] {
  return Object.entries(packages)
    .filter(([path, { dev }]) => path.startsWith('node_modules/') && dev !== true)
    .map(([path]) => path)
    .filter((path) => !/(^|\/)node_modules\/(esbuild|@(esbuild|types)\/[^/]+)$/.test(path));
}

/** Makes `folder` anew. Throws when the checkout is not set up (`node scripts/set-up.mjs`). */
export function stageImage(root: string, folder: string): void {
  const staging = `${folder}.new`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(join(staging, 'node_modules'), { recursive: true });
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  for (const path of packagesForImage(packages)) stagePackage(root, staging, path, packages[path]);
  for (const path of ['dist', 'proto', 'package.json', 'LICENSE']) {
    copy(join(root, path), join(staging, 'app', path), (source) => source === join(root, 'proto/gen'));
  }
  cpSync(join(root, 'Dockerfile'), join(staging, 'Dockerfile'));
  rmSync(folder, { recursive: true, force: true });
  renameSync(staging, folder);
}

function stagePackage(root: string, staging: string, path: string, locked: LockedPackage): void {
  const source = join(root, path);
  if (existsSync(source)) {
    // Packages inside packages are listed by themselves.
    const inside = join(source, 'node_modules');
    copy(source, join(staging, path), (from) => from === inside);
  } else if (!locked.optional) {
    throw new Error(`${path} is not installed: run node scripts/set-up.mjs`);
  }
}

function copy(from: string, to: string, isLeftOut: (path: string) => boolean): void {
  cpSync(from, to, { recursive: true, filter: (path) => !unneeded.test(path) && !isLeftOut(path) });
}
