/**
 * The entry of a slot's thread: runs one task at a time for the main thread. User code is trusted with the worker's account, but not
 * with its life: what it prints becomes its log, `process.exit()` and errors that nobody awaits end its attempt, with their place.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { assert, assertNever } from '../../lib/assert.ts';
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import { limits } from '../../lib/limits.ts';
import { createStores } from '../../lib/store/resolve.ts';
import type { ThreadProfiler } from '../profile/thread-profiler.ts';
import type { TaskContext } from './context.ts';
import { createHeapGuard } from './heap-guard.ts';
import { viewProgress } from './progress.ts';
import { runTask } from './run-task.ts';
import { askedS3Access } from './s3-access-channel.ts';
import type { FromSlot, SlotData, SlotTask, ToSlot } from './slot-messages.ts';
import { userFailure } from './task-failure.ts';

interface Running {
  readonly task: SlotTask;
  readonly abort: AbortController;
  context: TaskContext | undefined;
}

assert(parentPort, 'slot-thread.ts runs in a worker thread only');
const port = parentPort;
const s3Port = Promise.withResolvers<MessagePort>();
const stores = createStores({ s3: askedS3Access(s3Port.promise), patienceMs: limits.s3PatienceMs });
const checkMemory = createHeapGuard((workerData as SlotData).memoryBytesMax);
let running: Running | undefined;
let profiler: ThreadProfiler | undefined;

process.setSourceMapsEnabled(true);

function send(message: FromSlot): void {
  port.postMessage(message);
}

/** Ends the running attempt from outside its call stack. The thread is of no use afterwards. */
function condemn(thrown: unknown): void {
  if (!running) throw thrown;
  const { task, context } = running;
  running = undefined;
  const where = task.kind === 'reduce' ? 'reduce' : 'map';
  const { source } = context ?? { source: { uri: '', offset: 0 } };
  const record = source.uri === '' ? '' : `${source.uri}, byte offset ${source.offset}`;
  const failure = userFailure(thrown, where, record);
  send({
    type: 'ended',
    end: { kind: 'failed', failure },
    counters: context?.counters() ?? {},
    tainted: true,
  });
}

/** `console` and the standard streams write to the log of the attempt; between attempts to nobody. */
function captureOutput(): void {
  const log = (...args: unknown[]) => running?.context?.log(...args);
  for (const name of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const) console[name] = log;
  const write = (chunk: Uint8Array | string) => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    log('%s', text.replace(/\n$/, ''));
    return true;
  };
  process.stdout.write = write;
  process.stderr.write = write;
}

function captureExits(): void {
  const exit = process.exit.bind(process);
  process.exit = (code) => {
    condemn(
      new Error(
        `the job called process.exit(${code ?? ''}); throw an error to fail, or return to end a call`,
      ),
    );
    return exit(1);
  };
  process.on('uncaughtException', condemn);
  process.on('unhandledRejection', condemn);
}

async function run(task: SlotTask, memory: SharedArrayBuffer): Promise<void> {
  const mine: Running = { task: withBuffers(task), abort: new AbortController(), context: undefined };
  running = mine;
  failpoint('slot.started');
  const profiling = task.spec.profile ? await startProfiler() : undefined;
  const ended = await runTask(mine.task, {
    stores,
    progress: viewProgress(memory),
    signal: mine.abort.signal,
    checkMemory,
    log: (text) => send({ type: 'log', atMs: Date.now(), text }),
    partListener: {
      onPartOpening: () => send({ type: 'part-opening' }),
      onPartOpened: (part) => send({ type: 'part-opened', part }),
    },
    onContext(context) {
      mine.context = context;
    },
  });
  const profile = profiling?.stop(task.kind === 'reduce' ? 'reduce' : 'map');
  // Condemned meanwhile: that was the attempt's one end.
  if (running !== mine) return;
  running = undefined;
  failpoint('slot.result');
  send({ type: 'ended', ...ended, profile, tainted: false });
}

/** Loaded when it is wanted, so that other jobs pay nothing. */
async function startProfiler(): Promise<ThreadProfiler> {
  const { ThreadProfiler } = await import('../profile/thread-profiler.ts');
  profiler ??= new ThreadProfiler();
  profiler.start();
  return profiler;
}

/** A Buffer arrives as a plain Uint8Array; the same memory, seen as a Buffer again. */
function withBuffers(task: SlotTask): SlotTask {
  if (task.kind !== 'reduce') return task;
  const sources = task.sources.map((source) => {
    if (source.kind === 'file') return source;
    const { buffer, byteOffset, byteLength } = source.bytes;
    return { ...source, bytes: Buffer.from(buffer, byteOffset, byteLength) };
  });
  return { ...task, sources };
}

captureOutput();
captureExits();
port.on('message', (message: ToSlot) => {
  switch (message.type) {
    case 'start':
      s3Port.resolve(message.s3);
      break;
    case 'run':
      void run(message.task, message.progress);
      break;
    case 'cancel':
      running?.abort.abort(new MillraceError('cancelled', message.reason));
      break;
    default:
      assertNever(message, 'message to a slot');
  }
});
