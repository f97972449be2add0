/** One task from its data to its result: loads the job, makes the context, runs the map or reduce side. For slot threads and in-process runs. */
import type { AttemptFailure } from '../../lib/attempt-failure.ts';
import type { Counters } from '../../lib/job-spec.ts';
import type { Profile } from '../../lib/profile.ts';
import type { Stores } from '../../lib/store/resolve.ts';
import type { UserJob } from '../../lib/user-job.ts';
import { runMapTask } from '../map/map-task.ts';
import { runSampleTask } from '../map/sample-task.ts';
import { runReduceTask } from '../reduce/reduce-task.ts';
import type { PartListener } from '../reduce/write-output.ts';
import { shareOfSpace, unlimitedSpace } from '../shuffle/scratch-space.ts';
import { TaskContext } from './context.ts';
import { loadJob } from './load-job.ts';
import { type Progress, progressAt } from './progress.ts';
import type { SlotEnd, SlotResult, SlotTask } from './slot-messages.ts';
import { classifyFailure } from './task-failure.ts';

export interface RunTaskPorts {
  readonly stores: Stores;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly log: (text: string) => void;
  readonly partListener?: PartListener;
  /** Given the context before user code runs, for whatever else user code prints. */
  readonly onContext?: (context: TaskContext) => void;
  /** Throws when the task holds too much memory; see heap-guard.ts. */
  readonly checkMemory?: () => void;
  /** Told each pair that map yields, before it goes on. */
  readonly onPair?: ((key: unknown, value: unknown) => void) | undefined;
  /** Told each record that a reduce yields, before it is written. */
  readonly onRecord?: ((record: unknown) => void) | undefined;
  /** The job itself when it is in this process already; else it is loaded by its spec. */
  readonly job?: UserJob;
}

export interface TaskEnd {
  readonly end: SlotEnd;
  readonly counters: Counters;
  /** Of a job with `--profile`, from the thread that ran it. */
  readonly profile?: Profile | undefined;
}

/** Never throws: whatever happens to a task is a result or a failure. */
export async function runTask(task: SlotTask, ports: RunTaskPorts): Promise<TaskEnd> {
  const { attempt, spec } = task;
  const context = new TaskContext({
    attempt,
    params: spec.params,
    signal: ports.signal,
    progress: ports.progress,
    log: ports.log,
    ...(ports.checkMemory && { checkMemory: ports.checkMemory }),
  });
  ports.onContext?.(context);
  try {
    const job = ports.job ?? (await loadJob(spec, ports.stores, task.bundleDirectory));
    const result = await runKind(task, job, context, ports);
    return { end: { kind: 'done', result }, counters: context.counters() };
  } catch (thrown) {
    return { end: { kind: 'failed', failure: failureOf(thrown, task, ports) }, counters: context.counters() };
  }
}

async function runKind(
  task: SlotTask,
  job: UserJob,
  context: TaskContext,
  { stores, progress, partListener, onPair, onRecord }: RunTaskPorts,
): Promise<SlotResult> {
  // To wait for space is no sign of a task that hangs.
  const onWait = () => {
    progress[progressAt.beats]! += 1;
  };
  const space = task.scratch ? shareOfSpace(task.scratch, onWait) : unlimitedSpace;
  const common = { ...task, job, context, progress, stores, space, partListener, onPair, onRecord };
  switch (task.kind) {
    case 'map':
      return { kind: 'map', ...(await runMapTask({ ...common, ...task })) };
    case 'sample':
      return {
        kind: 'sample',
        keys: await runSampleTask({ ...common, ...task, cutPoints: [] }, task.keysMax),
      };
    case 'reduce':
      return { kind: 'reduce', ...(await runReduceTask({ ...common, ...task })) };
  }
}

/** After a cancel whatever is thrown is the cancel's doing. */
function failureOf(thrown: unknown, task: SlotTask, { signal }: RunTaskPorts): AttemptFailure {
  if (signal.aborted) return { kind: 'cancelled', message: String(signal.reason?.message ?? signal.reason) };
  const inputUri = task.kind === 'reduce' ? '' : (task.split.pieces[0]?.uri ?? '');
  return classifyFailure(thrown, { directory: task.directory, inputUri });
}
