/**
 * The sampling profiler of V8 on the thread that this runs on: nothing is measured in the code itself, so that a job without a profile
 * costs nothing, and one with it a stack a millisecond.
 */
import { Session } from 'node:inspector';
import { type HotFunction, hottest, noMicros, type Profile } from '../../lib/profile.ts';
import { type CallFrame, FrameSources, type SourceFrame } from './frames.ts';
import { type ProfiledThread, stageOf } from './stage-of.ts';

const sampleEveryMicros = 1_000;

/** As V8 gives it. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[] | undefined;
  }[];
  readonly samples?: readonly number[] | undefined;
  /** Since the sample before; V8 may give a negative one. */
  readonly timeDeltas?: readonly number[] | undefined;
}

export class ThreadProfiler {
  readonly #session = new Session();
  readonly #sources = new FrameSources();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.setSamplingInterval', { interval: sampleEveryMicros });
  }

  start(): void {
    this.#session.post('Profiler.start');
  }

  /** What was sampled since the start. */
  stop(thread: ProfiledThread): Profile {
    let profile: CpuProfile = { nodes: [] };
    // The inspector of the own thread answers before `post` returns.
    this.#session.post('Profiler.stop', (error, answer) => {
      if (error) throw error;
      profile = answer.profile;
    });
    return summarize(profile, thread, this.#sources);
  }
}

/** Exported for its test. */
export function summarize(
  { nodes, samples = [], timeDeltas = [] }: CpuProfile,
  thread: ProfiledThread,
  sources: Pick<FrameSources, 'read'>,
): Profile {
  const frames = new Map<number, SourceFrame>();
  const parents = new Map<number, number>();
  for (const { id, callFrame, children = [] } of nodes) {
    frames.set(id, sources.read(callFrame));
    for (const child of children) parents.set(child, id);
  }
  const spent = new Map<number, number>();
  samples.forEach((id, i) => {
    spent.set(id, (spent.get(id) ?? 0) + Math.max(0, timeDeltas[i] ?? 0));
  });
  const micros = noMicros();
  const functions: HotFunction[] = [];
  for (const [id, time] of spent) {
    const stack = stackOf(id, frames, parents);
    const stage = stageOf(stack, thread);
    micros[stage] += time;
    const user =
      stage === 'user-map' || stage === 'user-reduce' ? stack.find(({ isUser }) => isUser) : undefined;
    if (user) functions.push({ name: user.name, file: user.file ?? '', line: user.line, micros: time });
  }
  return { micros, functions: hottest(functions) };
}

/** Innermost first. */
function stackOf(
  id: number,
  frames: ReadonlyMap<number, SourceFrame>,
  parents: ReadonlyMap<number, number>,
): SourceFrame[] {
  const stack: SourceFrame[] = [];
  for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
    const frame = frames.get(at);
    if (frame) stack.push(frame);
  }
  return stack;
}
