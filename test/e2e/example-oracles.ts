/** The example apps with their input, and what coreutils and awk make of the same input: nothing of ours takes part in that. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export const examples = join(import.meta.dirname, '../../examples');
const data = join(examples, 'data');

export interface ExampleRun {
  /** Of the job file in examples/, without `.ts`. */
  readonly name: string;
  /** Patterns relative to examples/data; of a second job in a chain, relative to the output of the first. */
  readonly input: string;
  /** The run whose output is the input. */
  readonly after?: string;
  readonly params?: Readonly<Record<string, string | number>>;
  /** Small enough for several map tasks. */
  readonly splitBytes: number;
  readonly reducers: number;
  /** Whether the parts one after the other are in the order of the oracle; else only the set of lines is compared. */
  readonly ordered?: boolean;
  /** A pipeline that runs in examples/data and prints the expected lines. */
  readonly oracle: string;
}

const words = String.raw`tr -cs 'A-Za-z' '\n' | grep .`;
const countLines = String.raw`sort | uniq -c | awk '{ print $2 "\t" $1 }'`;
/** `key TAB item` lines, sorted, to `key TAB ["item",…]`. */
const toLists = String.raw`awk -F'\t' '
  $1 != key { if (NR > 1) print key "\t[" list "]"; key = $1; list = "" }
  { list = list (list == "" ? "" : ",") "\"" $2 "\"" }
  END { print key "\t[" list "]" }'`;

export const exampleRuns: readonly ExampleRun[] = [
  {
    name: 'word-count',
    input: 'text/*.txt',
    splitBytes: 300,
    reducers: 3,
    oracle: `cat text/*.txt | ${words} | ${countLines}`,
  },
  {
    name: 'grep',
    input: 'text/*.txt',
    params: { pattern: 'wheels?( |$)|[Ww]ater' },
    splitBytes: 300,
    reducers: 3,
    oracle: `grep -HE 'wheels?( |$)|[Ww]ater' text/*.txt`,
  },
  {
    name: 'url-count',
    input: 'access.log',
    splitBytes: 2_000,
    reducers: 3,
    oracle: `grep -E '"[A-Z]+ [^ ]+[^"]*" [0-9]{3} ' access.log | awk '{ print $7 }' | ${countLines}`,
  },
  {
    name: 'web-links',
    input: 'site/*.html',
    splitBytes: 1,
    reducers: 3,
    oracle: String.raw`cd site && for page in *.html; do
        grep -oE '<a [^>]*href="[^"#]+' $page | sed -E 's/.*href="//' | awk -v page=$page -v site=https://example.org/ '
          /^https?:/ { print $0 "\t" site page; next }
          { sub(/^\//, ""); print site $0 "\t" site page }'
      done | sort -u | ${toLists}`,
  },
  {
    name: 'term-vector',
    input: 'pages.jsonl',
    splitBytes: 1_500,
    reducers: 3,
    oracle: String.raw`sed -E 's|^\{"url": "https://([^/]*)/[^"]*", "text": "(.*)"\}$|\1\t\2|' pages.jsonl | awk -F'\t' '
        { n = split(tolower($2), words, /[^a-z]+/); for (i = 1; i <= n; i++) if (length(words[i]) >= 4) count[$1 "\t" words[i]]++ }
        END { for (key in count) print key "\t" count[key] }' | sort -t$'\t' -k1,1 -k3,3nr -k2,2 | awk -F'\t' '
        $1 != host { if (NR > 1) print host "\t[" list "]"; host = $1; list = ""; n = 0 }
        n++ < 5 { list = list (list == "" ? "" : ",") "[\"" $2 "\"," $3 "]" }
        END { print host "\t[" list "]" }'`,
  },
  {
    name: 'inverted-index',
    input: 'text/*.txt',
    splitBytes: 1,
    reducers: 3,
    oracle: String.raw`cd text && for file in *.txt; do tr 'A-Z' 'a-z' < $file | ${words} | sort -u | sed "s/$/\t$file/"; done |
      sort -u | ${toLists}`,
  },
  {
    name: 'sort',
    input: 'records.txt',
    splitBytes: 2_550,
    reducers: 3,
    ordered: true,
    oracle: 'sort -s -k1.1,1.10 records.txt',
  },
  {
    name: 'top-k/count',
    input: 'text/*.txt',
    splitBytes: 300,
    reducers: 3,
    oracle: `cat text/*.txt | ${words} | sort | uniq -c | awk '{ print "{\\"word\\":\\"" $2 "\\",\\"count\\":" $1 "}" }'`,
  },
  {
    name: 'top-k/top',
    after: 'top-k/count',
    input: 'part-r-*',
    params: { k: 7 },
    splitBytes: 700,
    reducers: 1,
    ordered: true,
    oracle: String.raw`cat text/*.txt | ${words} | ${countLines} | sort -t$'\t' -k2,2nr -k1,1 | head -n 7`,
  },
  {
    name: 'matrix-multiply/multiply',
    input: 'matrices.txt',
    splitBytes: 50,
    reducers: 3,
    oracle: `awk '
        $1 == "A" { a[++ofA] = $0 }
        $1 == "B" { b[++ofB] = $0 }
        END { for (x = 1; x <= ofA; x++) for (y = 1; y <= ofB; y++) {
          split(a[x], p, " "); split(b[y], q, " ")
          if (p[3] == q[2]) print "[[" p[2] "," q[3] "]," p[4] * q[4] + 0 "]" } }' matrices.txt`,
  },
  {
    name: 'matrix-multiply/add',
    after: 'matrix-multiply/multiply',
    input: 'part-r-*',
    splitBytes: 100,
    reducers: 2,
    oracle: `awk '
        { m[$1, $2, $3] = $4 }
        $1 == "A" { if ($2 > rows) rows = $2; if ($3 > inner) inner = $3 }
        $1 == "B" && $3 > columns { columns = $3 }
        END { for (i = 0; i <= rows; i++) for (j = 0; j <= columns; j++) {
          total = 0; for (k = 0; k <= inner; k++) total += m["A", i, k] * m["B", k, j]
          print "C " i " " j " " total } }' matrices.txt`,
  },
];

/** Runs a pipeline with bytes as characters, and fails when any part of it does. */
export function ask(oracle: string): string {
  return execFileSync('bash', ['--norc', '-c', `set -o pipefail; ${oracle}`], {
    cwd: data,
    encoding: 'latin1',
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  });
}
