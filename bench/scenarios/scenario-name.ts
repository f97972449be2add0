/**
 * What is measured, and what a program that takes part must do. All text is ASCII, lines end in `\n`, and output lines are in any order unless said.
 *
 * - `word-count`: input lines of words of letters, one space between two; output `word\tcount` for each word.
 * - `sort`: input lines of 100 bytes, `\n` included, whose first 10 are a key; output the lines in byte order. Keys are unique, so that the order of
 *   whole lines is the same. Several output files are in order of their names.
 * - `grep`: input as for `word-count`, large enough that there is something to find; output one line, the number of input lines that have `grepPattern`
 *   in them.
 * - `inverted-index`: input lines `document\tword word …`; output `word\tdocument,document,…`, each once, ascending.
 * - `p99`: access log lines (`accessLogLine` tells the format); output `path\tms`, the 99th percentile by nearest rank: of n ascending
 *   values number ceil(0.99 n), counted from 1.
 * - `start-up`: input one line of two words; does `word-count` with it.
 * - `group`: JSON lines `{"user": …, "body": …}` with bodies of some KiB; output `user\tcount bytes longest`: how many bodies, their length in
 *   all, and the length of the longest.
 * - `map-only`: access log lines; output, in the order of the input, `path\tms` for each line with a status of 500 or more.
 * - `small-files`: a folder of files of a few KiB of words; output `word\tcount` over all of them.
 */
export const scenarioNames = [
  'word-count',
  'sort',
  'grep',
  'inverted-index',
  'p99',
  'start-up',
  'group',
  'map-only',
  'small-files',
] as const;
export type ScenarioName = (typeof scenarioNames)[number];

/** A plain string, without any character that is special to somebody; in about one line of 1,700. */
export const grepPattern = 'fox';

/**
 * `host - - [21/Nov/2026:10:00:00 +0000] "GET /path HTTP/1.1" status bytes ms`: the path is what stands between `"METHOD ` and ` HTTP/1.1"`,
 * and has no spaces; `ms`, a whole number, is the last of the fields that spaces separate.
 */
export const accessLogLine = /"[A-Z]+ (\S+) HTTP\/1\.1" (\d{3}) \d+ (\d+)$/;
