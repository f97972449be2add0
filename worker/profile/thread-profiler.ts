/**
 * The sampling profiler of V8 on the thread that this runs on: nothing is measured in the code itself, so that a job without a profile
 * costs nothing, and one with it a stack a millisecond.
 */
import { console as inspected, Session } from 'node:inspector';
import { type HotFunction, hottest, noMicros, type Profile } from '../../lib/profile.ts';
import { type CallFrame, FrameSources, type SourceFrame } from './frames.ts';
import { type ProfiledThread, stageOf } from './stage-of.ts';

const sampleEveryMicros = 1_000;
/** How long samples are taken for nobody, because the next task may come. */
const restMs = 1_000;

/** What is sampled in it, such as V8 that begins to record, is no part of the task. */
const ownFile = 'worker/profile/thread-profiler.ts';

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

/** Unique in the process: whoever else records on this thread is told about our recordings, and we about theirs. */
let recordings = 0;

/**
 * The first recording of a thread costs V8 some 30 ms, because it looks at all code there is, and one that begins while another runs hardly
 * anything. So the next one begins before the last one ends, and rests between tasks.
 */
export class ThreadProfiler {
  readonly #session = new Session();
  readonly #sources = new FrameSources();
  #title: string | undefined;
  #finished: CpuProfile | undefined;
  #rest: NodeJS.Timeout | undefined;

  constructor() {
    this.#session.connect();
    this.#session.on('Profiler.consoleProfileFinished', ({ params }) => {
      if (params.title === this.#title) this.#finished = params.profile;
    });
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.setSamplingInterval', { interval: sampleEveryMicros });
  }

  start(): void {
    clearTimeout(this.#rest);
    this.#record();
  }

  /** What was sampled since the start. */
  stop(thread: ProfiledThread): Profile {
    const profile = this.#record();
    this.#rest = setTimeout(() => this.#finish(), restMs).unref();
    return summarize(profile ?? { nodes: [] }, thread, this.#sources);
  }

  /** Begins a recording, and gives the one before. */
  #record(): CpuProfile | undefined {
    const title = `millrace ${recordings++}`;
    inspected.profile(title);
    const before = this.#finish();
    this.#title = title;
    return before;
  }

  /** The inspector of the own thread tells what was recorded before `profileEnd` returns. */
  #finish(): CpuProfile | undefined {
    if (this.#title === undefined) return undefined;
    inspected.profileEnd(this.#title);
    this.#title = undefined;
    const profile = this.#finished;
    this.#finished = undefined;
    return profile;
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
    if (stack.some(({ file }) => file === ownFile)) continue;
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
