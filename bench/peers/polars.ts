/** polars, from the npm package with its prebuilt library, on its streaming engine. */
import { join } from 'node:path';
import { grepPattern } from '../scenarios/scenario-name.ts';
import { installedFolder, notInstalled, recipes } from './installed.ts';
import type { Peer } from './peer.ts';

const query = join(import.meta.dirname, 'polars/query.mjs');

export const polars: Peer = {
  name: 'polars',
  title: 'polars',
  scenarios: ['word-count', 'sort', 'grep', 'inverted-index', 'p99', 'start-up', 'map-only', 'small-files'],
  isSlow: false,
  isDefault: true,
  async find() {
    const folder = installedFolder('polars');
    if (!folder) return notInstalled('polars');
    return {
      version: recipes.polars.version,
      command: ({ scenario, input, output, threads }) => ({
        program: process.execPath,
        args: [query, scenario, input, output, grepPattern],
        env: { PEER_FOLDER: folder, POLARS_MAX_THREADS: String(threads) },
      }),
    };
  },
};
