/** Dask bags, on its scheduler for processes. */
import { join } from 'node:path';
import { grepPattern } from '../scenarios/scenario-name.ts';
import { installedFolder, notInstalled, recipes } from './installed.ts';
import type { Peer } from './peer.ts';

const jobs = join(import.meta.dirname, 'dask/jobs.py');

export const dask: Peer = {
  name: 'dask',
  title: 'Dask bag',
  scenarios: ['word-count', 'grep', 'inverted-index', 'p99', 'start-up', 'map-only'],
  isSlow: true,
  isDefault: true,
  async find() {
    const folder = installedFolder('dask');
    if (!folder) return notInstalled('dask');
    return {
      version: recipes.dask.version,
      command: ({ scenario, input, output, threads }) => ({
        program: join(folder, 'bin/python3'),
        args: [jobs, scenario, input, output, String(threads), grepPattern],
      }),
    };
  },
};
