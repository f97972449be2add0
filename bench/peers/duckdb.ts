/** DuckDB, from the npm package with its prebuilt library. */
import { join } from 'node:path';
import { grepPattern, scenarioNames } from '../scenarios/scenario-name.ts';
import { installedFolder, notInstalled, recipes } from './installed.ts';
import type { Peer } from './peer.ts';

const query = join(import.meta.dirname, 'duckdb/query.mjs');

export const duckdb: Peer = {
  name: 'duckdb',
  title: 'DuckDB',
  scenarios: scenarioNames,
  isSlow: false,
  isDefault: true,
  async find() {
    const folder = installedFolder('duckdb');
    if (!folder) return notInstalled('duckdb');
    return {
      version: recipes.duckdb.version,
      command: ({ scenario, input, output, scratch, threads }) => ({
        program: process.execPath,
        args: [query, scenario, input, output, scratch, String(threads), grepPattern],
        env: { PEER_FOLDER: folder },
      }),
    };
  },
};
