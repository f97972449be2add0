/** To which stage a sample belongs: the innermost function on its stack whose file is of one decides. */
import type { Stage } from '../../lib/profile.ts';

/** One function on a stack: `file` is a path of ours, `worker/map/spill.ts`; neither is set for Node's own and for packages. */
export interface Frame {
  readonly name: string;
  readonly isUser: boolean;
  readonly file?: string | undefined;
}

/** What runs on the thread: the main one serves and fetches. */
export type ProfiledThread = 'map' | 'reduce' | 'main';

/**
 * By the beginning of their path, where a file does more than one thing with its function: the first that fits. Files of none, such
 * as codecs, work for whoever calls them.
 */
export const stagePlaces: readonly (readonly [place: string, stage: Stage])[] = [
  ['worker/map/read-split', 'read'],
  ['worker/map/readers/piece-source', 'read'],
  ['worker/map/readers/', 'decode'],
  ['worker/map/record-', 'decode'],
  ['lib/decompress', 'decode'],
  ['lib/line-blocks', 'decode'],
  ['lib/word-bytes', 'decode'],
  ['worker/map/sort-buffer.ts:sorted', 'sort'],
  ['worker/map/sort-buffer.ts:addEncoded', 'sort'],
  // Sorted pairs are copied from where they lie.
  ['worker/map/sort-buffer.ts:advance', 'spill'],
  ['worker/map/sort-buffer.ts:#touch', 'spill'],
  ['worker/map/sort-buffer', 'emit'],
  ['worker/map/sort-', 'sort'],
  ['worker/map/pair-collector.ts:#drain', 'sort'],
  ['worker/map/table-entries', 'sort'],
  ['worker/map/combine.ts:writePairs', 'spill'],
  ['worker/map/combine', 'sort'],
  ['worker/map/spill', 'spill'],
  ['worker/map/publish', 'write'],
  ['worker/shuffle/run-file.ts:append', 'spill'],
  ['worker/shuffle/run-file.ts:finish', 'spill'],
  ['worker/shuffle/run-file.ts:#', 'spill'],
  ['worker/map/merge-spills', 'merge'],
  ['worker/shuffle/merge', 'merge'],
  ['worker/map/', 'emit'],
  ['worker/reduce/group', 'group'],
  ['worker/reduce/run-reducer', 'group'],
  ['worker/reduce/fetch-', 'fetch'],
  ['worker/reduce/write-', 'write'],
  ['lib/output/', 'write'],
  ['worker/reduce/', 'group'],
  ['worker/shuffle/serve', 'serve'],
  ['worker/shuffle/fetch', 'fetch'],
  ['worker/shuffle/segment-store', 'fetch'],
  ['worker/shuffle/verify-segment', 'fetch'],
];

const byName: Readonly<Record<string, Stage>> = {
  '(idle)': 'idle',
  '(garbage collector)': 'gc',
};

/** Innermost first. */
export function stageOf(stack: Iterable<Frame>, thread: ProfiledThread): Stage {
  for (const { name, isUser, file } of stack) {
    const known = byName[name];
    if (known) return known;
    if (isUser) return thread === 'reduce' ? 'user-reduce' : 'user-map';
    const stage = file && stagePlaces.find(([place]) => `${file}:${name}`.startsWith(place))?.[1];
    if (stage) return stage;
  }
  return 'engine';
}
