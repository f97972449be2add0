/** The scripts one would write instead, in one thread, with everything in memory. They run on the Node that runs the benchmark. */
import { join } from 'node:path';
import { grepPattern, type ScenarioName } from '../scenarios/scenario-name.ts';
import type { Peer } from './peer.ts';

const scripts: Readonly<Record<ScenarioName, string>> = {
  'word-count': 'word-count',
  sort: 'sort',
  grep: 'grep',
  'inverted-index': 'inverted-index',
  p99: 'p99',
  'start-up': 'word-count',
  group: 'group',
  'map-only': 'map-only',
  'small-files': 'word-count',
};

export const plain: Peer = {
  name: 'plain',
  title: 'plain Node script',
  scenarios: Object.keys(scripts) as ScenarioName[],
  isSlow: true,
  isDefault: true,
  find: async () => ({
    version: `Node ${process.versions.node}`,
    command: ({ scenario, input, output }) => ({
      program: process.execPath,
      args: [join(import.meta.dirname, `plain/${scripts[scenario]}.mjs`), input, output, grepPattern],
    }),
  }),
};
