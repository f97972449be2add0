/** Where `install.ts` puts the other systems, and how peers find out whether it did. Nothing of this is a dependency of Millrace. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { PeerMissing } from './peer.ts';

/** `npm`: a package with prebuilt binaries inside; `pip`: into a virtual environment of its own; `maven`: jars, with what they need. */
export interface Recipe {
  readonly from: 'npm' | 'pip' | 'maven';
  /** As that client writes a package and its version. */
  readonly package: string;
  readonly version: string;
}

export const recipes = {
  duckdb: { from: 'npm', package: '@duckdb/node-api@1.5.6-r.1', version: '1.5.6' },
  polars: { from: 'npm', package: 'nodejs-polars@0.26.1', version: '0.26.1' },
  spark: { from: 'pip', package: 'pyspark==4.3.0', version: '4.3.0' },
  dask: { from: 'pip', package: 'dask==2026.8.0', version: '2026.8.0' },
  hadoop: { from: 'maven', package: 'org.apache.hadoop:hadoop-client-runtime:3.5.0', version: '3.5.0' },
} as const satisfies Readonly<Record<string, Recipe>>;

export type RecipeName = keyof typeof recipes;

export const peersFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace/peers');

/** Written last into the folder of a system, with the package and its version: what was cut short does not count as installed. */
export const installedMarker = 'installed';

/** The folder of a system in the pinned version; undefined when it is not there. */
export function installedFolder(name: RecipeName): string | undefined {
  const folder = join(peersFolder, name);
  const marker = join(folder, installedMarker);
  return existsSync(marker) && readFileSync(marker, 'utf8') === recipes[name].package ? folder : undefined;
}

export const notInstalled = (name: RecipeName): PeerMissing => ({
  missing: `not installed: node bench/peers/install.ts ${name}`,
});

/** The full path of a program; undefined when it is in no folder of PATH. */
export function findOnPath(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
