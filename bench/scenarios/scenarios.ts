/** What is measured beside peers: the input, our jobs, and how an answer is compared. What a job does is said in scenario-name.ts. */
import type { GeneratedKind } from '../generate.ts';
import type { ScenarioName } from './scenario-name.ts';

export interface Variant {
  /** `generator`: of results, and of figures. */
  readonly name: string;
  /** Of bench/jobs. */
  readonly job: string;
  /** Of `millrace run`, beside input, output and slots. */
  readonly flags?: readonly string[];
}

export interface Scenario {
  readonly name: ScenarioName;
  readonly title: string;
  readonly input: GeneratedKind;
  /** Where the size of the input is no matter of taste; otherwise `--size` says it. */
  readonly inputBytes?: number;
  /** `lines`: lines in any order. `bytes`: as they are. `sorted`: these, and checked as a sort of the input once. */
  readonly answer: 'lines' | 'bytes' | 'sorted';
  /** The first one is the form that the documentation shows. */
  readonly variants: readonly Variant[];
  /** Of ours and of fast peers, where single runs differ more than usual. */
  readonly runsMin?: number;
}

/** A few words: all of the time is start-up. */
const startUpBytes = 60;
const startUpRunsMin = 5;

export const scenarios: readonly Scenario[] = [
  {
    name: 'start-up',
    title: 'a trivial job',
    input: 'zipf',
    inputBytes: startUpBytes,
    answer: 'lines',
    variants: [{ name: 'generator', job: 'word-count-generator' }],
    runsMin: startUpRunsMin,
  },
  {
    name: 'word-count',
    title: 'word count',
    input: 'zipf',
    answer: 'lines',
    variants: [
      { name: 'generator', job: 'word-count-generator' },
      { name: 'callback', job: 'word-count-callback' },
      { name: 'built-in', job: 'word-count-built-in' },
    ],
  },
  {
    name: 'sort',
    title: 'total-order sort of 100-byte records',
    input: 'records',
    answer: 'sorted',
    variants: [
      { name: 'built-in', job: 'sort-built-in' },
      { name: 'generator', job: 'sort-generator' },
    ],
  },
  {
    name: 'grep',
    title: 'grep for a plain string',
    input: 'zipf',
    answer: 'lines',
    variants: [{ name: 'generator', job: 'grep', flags: ['-r', '1'] }],
  },
  {
    name: 'p99',
    title: '99th percentile per path of an access log',
    input: 'access-log',
    answer: 'lines',
    variants: [{ name: 'generator', job: 'p99' }],
  },
  {
    name: 'inverted-index',
    title: 'inverted index',
    input: 'documents',
    answer: 'lines',
    variants: [{ name: 'generator', job: 'inverted-index' }],
  },
  {
    name: 'group',
    title: 'groups with large values',
    input: 'events',
    answer: 'lines',
    variants: [{ name: 'generator', job: 'group' }],
  },
  {
    name: 'map-only',
    title: 'map only',
    input: 'access-log',
    answer: 'bytes',
    variants: [{ name: 'generator', job: 'map-only' }],
  },
  {
    name: 'small-files',
    title: 'word count over many small files',
    input: 'small-files',
    answer: 'lines',
    variants: [{ name: 'generator', job: 'word-count-generator' }],
  },
];
