/** mawk, the fastest of the common awks: counts in its hash tables instead of sorting, in one thread. */
import { execFileSync } from 'node:child_process';
import { grepPattern, type ScenarioName } from '../scenarios/scenario-name.ts';
import { pipelineCommand } from './gnu.ts';
import { findOnPath } from './installed.ts';
import type { Peer } from './peer.ts';

const wordCount = `mawk '{ for (i = 1; i <= NF; i++) count[$i]++ } END { for (word in count) print word "\\t" count[word] }'`;

const pipelines: Partial<Record<ScenarioName, string>> = {
  'word-count': `${wordCount} "$input" >"$output"`,
  grep: `mawk '/${grepPattern}/ { found++ } END { print found + 0 }' "$input" >"$output"`,
  'start-up': `${wordCount} "$input" >"$output"`,
  'map-only': `mawk '$9 >= 500 { print $7 "\\t" $11 }' "$input" >"$output"`,
  'small-files': `find "$input" -type f -exec cat {} + | ${wordCount} >"$output"`,
};

export const mawk: Peer = {
  name: 'mawk',
  title: 'mawk',
  scenarios: Object.keys(pipelines) as ScenarioName[],
  isSlow: false,
  isDefault: true,
  async find() {
    if (!findOnPath('mawk')) return { missing: 'not installed: mawk is not on the PATH' };
    // The limits that it also tells go to stderr.
    const said = execFileSync('mawk', ['-W', 'version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [version = 'mawk'] = said.split('\n');
    return { version, command: (task) => pipelineCommand(pipelines[task.scenario], task) };
  },
};
