/** Loads a bundle once, in a thread of its own, to see whether it holds a job and what the job asks for. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { InputFormat, OutputFormat } from '../lib/formats.ts';
import type { ParamValue, PartitionKind } from '../lib/job-spec.ts';
import { sourceExcerpt, topFrame } from '../lib/user-stack.ts';
import { jobFileError } from './job-file-error.ts';

/** What the rest of the submit needs to know about a job, as JSON. */
export interface JobDescriptor {
  readonly name: string;
  readonly input: InputFormat;
  readonly output: OutputFormat;
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly partition: PartitionKind;
  readonly reducers?: number;
  readonly splitBytes?: number;
  readonly hasCombine: boolean;
  readonly hasReduce: boolean;
}

/** What the thread says: a descriptor, or why there is none. */
export type DescribeReport =
  | { readonly kind: 'job'; readonly descriptor: JobDescriptor }
  | { readonly kind: 'no-job'; readonly found: string }
  | {
      readonly kind: 'threw';
      readonly name: string;
      readonly message: string;
      readonly stack: string;
      /** Our own check of the definition: the message says all. */
      readonly isOurs: boolean;
    };

export interface DescribeRequest {
  readonly moduleUrl: string;
}

export interface DescribeOptions {
  /** For messages; default `the job file`. */
  readonly jobFile?: string;
  readonly timeoutMs?: number;
  /** One that was started already; closed here. */
  readonly thread?: DescribeThread;
}

const loadTimeoutMsDefault = 30_000;

/** Throws `job-file` when the bundle cannot be loaded or its default export is no job. */
export async function describeJob(code: Uint8Array, options: DescribeOptions = {}): Promise<JobDescriptor> {
  const {
    jobFile = 'the job file',
    timeoutMs = loadTimeoutMsDefault,
    thread = startDescribeThread(),
  } = options;
  const folder = await mkdtemp(join(tmpdir(), 'millrace-job-'));
  try {
    const path = join(folder, `${createHash('sha256').update(code).digest('hex')}.mjs`);
    await writeFile(path, code, { mode: 0o600 });
    const report = await loadInThread(thread, pathToFileURL(path).href, jobFile, timeoutMs);
    if (report.kind === 'job') return report.descriptor;
    if (report.kind === 'threw') throw jobFileError(describeThrown(report, jobFile, code));
    throw jobFileError(
      `${jobFile} ${report.found}; expected a job: export default defineJob(import.meta, { name, map, … })`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Waits for a bundle to load, or to be terminated. */
export type DescribeThread = Worker;

/** A thread, because the code of a module may do anything: print to stdout, call process.exit(), or never end. */
export function startDescribeThread(): DescribeThread {
  const entry = new URL(`./describe-thread${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
  const thread = new Worker(entry, { stdout: true, execArgv: [] });
  // stdout is for the job's data.
  thread.stdout.pipe(process.stderr, { end: false });
  return thread;
}

function loadInThread(
  thread: DescribeThread,
  moduleUrl: string,
  jobFile: string,
  timeoutMs: number,
): Promise<DescribeReport> {
  thread.postMessage({ moduleUrl } satisfies DescribeRequest);
  return new Promise<DescribeReport>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(jobFileError(`${jobFile} did not finish loading within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', (code) =>
      reject(
        jobFileError(
          `${jobFile} stopped before it was loaded (exit code ${code}): it calls process.exit(), or awaits at top level what never comes`,
        ),
      ),
    );
    thread.once('message', () => clearTimeout(timer));
    thread.once('exit', () => clearTimeout(timer));
  }).finally(() => thread.terminate());
}

function describeThrown(
  report: Extract<DescribeReport, { kind: 'threw' }>,
  jobFile: string,
  code: Uint8Array,
): string {
  const frame = topFrame(report.stack);
  const excerpt = frame && sourceExcerpt(code, frame.file, frame.line);
  if (report.isOurs) {
    const place = frame ? `${frame.file}:${frame.line}:${frame.column}` : jobFile;
    return [`${place}: ${report.message}`, excerpt].filter(Boolean).join('\n');
  }
  const head = `${jobFile} threw while it was loaded: ${report.name}: ${report.message}`;
  return [head, report.stack, excerpt].filter(Boolean).join('\n');
}
