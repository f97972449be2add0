import { expect, test } from 'vitest';
import { noMicros } from '../../lib/profile.ts';
import type { CallFrame, SourceFrame } from './frames.ts';
import { summarize, ThreadProfiler } from './thread-profiler.ts';

/** Here a function's url is `user`, or a file of ours. */
const sources = {
  read: ({ functionName: name, url, lineNumber }: CallFrame): SourceFrame =>
    url === 'user'
      ? { name, isUser: true, file: 'src/job.ts', line: lineNumber }
      : { name, isUser: false, file: url || undefined, line: 0 },
};

/** A chain of callers, outermost first; each sample is in the last one it names. */
function profileOf(...stacks: readonly (readonly string[])[]) {
  const nodes = new Map<string, { id: number; callFrame: CallFrame; children: number[] }>();
  const samples = stacks.map((stack) => {
    let last = 0;
    stack.forEach((frame, depth) => {
      const path = stack.slice(0, depth + 1).join('>');
      const [functionName = '', url = ''] = frame.split('@');
      if (!nodes.has(path)) {
        const id = nodes.size + 1;
        nodes.set(path, {
          id,
          callFrame: { functionName, url, lineNumber: 7, columnNumber: 0 },
          children: [],
        });
        nodes.get(stack.slice(0, depth).join('>'))?.children.push(id);
      }
      last = nodes.get(path)!.id;
    });
    return last;
  });
  return { nodes: [...nodes.values()], samples, timeDeltas: samples.map(() => 1_000) };
}

test('the innermost function of a stage has the time, and what works for anybody counts for its caller', () => {
  const drive = ['(root)', 'runMapper@worker/map/run-mapper.ts'];
  const profile = profileOf(
    drive,
    [...drive, 'map@user'],
    [...drive, 'map@user', 'split@'],
    [...drive, 'map@user', 'emit@worker/map/pair-collector.ts', 'encodeKey@lib/codec/key-codec.ts'],
    [...drive, 'sort@worker/map/sort-buffer.ts', 'combine@user'],
    ['(root)', '(garbage collector)'],
    ['(root)', '(idle)'],
    ['(root)', '(program)'],
    ['run@worker/user/slot-thread.ts', 'start@worker/profile/thread-profiler.ts', 'post@'],
    ['(root)', 'write@worker/map/spill.ts', 'append@worker/shuffle/run-file.ts', 'writeSync@'],
  );
  const { micros, functions } = summarize(profile, 'map', sources);
  expect(micros).toEqual({
    ...noMicros(),
    emit: 2_000,
    'user-map': 3_000,
    spill: 1_000,
    gc: 1_000,
    idle: 1_000,
    engine: 1_000,
  });
  expect(functions).toEqual([
    { name: 'map', file: 'src/job.ts', line: 7, micros: 2_000 },
    { name: 'combine', file: 'src/job.ts', line: 7, micros: 1_000 },
  ]);
});

test('user code in a reduce is user-reduce', () => {
  const profile = profileOf(['run@worker/reduce/run-reducer.ts', 'reduce@user']);
  expect(summarize(profile, 'reduce', sources).micros).toEqual({ ...noMicros(), 'user-reduce': 1_000 });
});

test('a clock that goes back takes nothing away', () => {
  const profile = { ...profileOf(['map@user'], ['map@user']), timeDeltas: [500, -9_000] };
  expect(summarize(profile, 'map', sources).micros['user-map']).toBe(500);
});

test('it samples the thread that it runs on, from each start to its stop', () => {
  const profiler = new ThreadProfiler();
  for (let i = 0; i < 2; i++) {
    profiler.start();
    const end = performance.now() + 20;
    while (performance.now() < end);
    const { micros } = profiler.stop('main');
    expect(Object.values(micros).some((spent) => spent > 0)).toBe(true);
  }
});
