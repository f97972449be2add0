/** GNU tools in pipelines, the classic way. Byte order by LC_ALL=C, sort with a gigabyte before it goes to disk. */
import { execFileSync } from 'node:child_process';
import { grepPattern, type ScenarioName } from '../scenarios/scenario-name.ts';
import { findOnPath } from './installed.ts';
import type { Command, Peer, PeerTask } from './peer.ts';

const sort = 'sort --parallel=$threads -S 1G -T "$scratch"';
/** `   3 word` of uniq -c becomes `word<tab>3`. */
const countLast = String.raw`sed -E 's/^ *([0-9]+) (.*)/\2\t\1/'`;
const countWords = `tr ' ' '\\n' | ${sort} | uniq -c | ${countLast} >"$output"`;

/** Of lines `key<tab>value` in order, one line per key with all values. */
const joinValues = `awk -F '\\t' '$1 != key { if (NR > 1) print key "\\t" all; key = $1; all = $2; next }
  { all = all "," $2 } END { if (NR > 0) print key "\\t" all }'`;
const explode = `awk -F '\\t' '{ n = split($2, word, " "); for (i = 1; i <= n; i++) print word[i] "\\t" $1 }'`;
/** Of lines `path<tab>ms` in order. */
const percentile = `awk -F '\\t' 'function put() { print path "\\t" ms[int((99 * n + 99) / 100)] }
  $1 != path { if (NR > 1) put(); path = $1; n = 0 } { ms[++n] = $2 } END { if (NR > 0) put() }'`;
const sortTimes = `${sort} -t "$(printf '\\t')" -k1,1 -k2,2n`;

const pipelines: Partial<Record<ScenarioName, string>> = {
  'word-count': `<"$input" ${countWords}`,
  sort: `${sort} -o "$output" "$input"`,
  // A count of 0 is status 1.
  grep: `grep -c -F ${grepPattern} "$input" >"$output" || [ $? = 1 ]`,
  'inverted-index': `${explode} "$input" | ${sort} -u | ${joinValues} >"$output"`,
  p99: `cut -d ' ' -f 7,11 --output-delimiter="$(printf '\\t')" "$input" | ${sortTimes} | ${percentile} >"$output"`,
  'start-up': `<"$input" ${countWords}`,
  'map-only': `awk '$9 >= 500 { print $7 "\\t" $11 }' "$input" >"$output"`,
  'small-files': `find "$input" -type f -exec cat {} + | ${countWords}`,
};

/** A pipeline of a shell that fails when any part of it does; it finds `$input`, `$output`, `$scratch` and `$threads`. */
export const pipelineCommand = (pipeline = '', { input, output, scratch, threads }: PeerTask): Command => ({
  program: 'bash',
  args: ['--norc', '-c', `set -o pipefail; ${pipeline}`],
  env: { LC_ALL: 'C', input, output, scratch, threads: String(threads) },
});

export const gnu: Peer = {
  name: 'gnu',
  title: 'GNU tools',
  scenarios: Object.keys(pipelines) as ScenarioName[],
  isSlow: false,
  isDefault: true,
  async find() {
    if (!findOnPath('sort')) return { missing: 'not installed: sort is not on the PATH' };
    const [version = 'sort'] = execFileSync('sort', ['--version'], { encoding: 'utf8' }).split('\n');
    if (!version.includes('GNU')) return { missing: `not installed: ${version} is not GNU sort` };
    return { version, command: (task) => pipelineCommand(pipelines[task.scenario], task) };
  },
};
