/** The thread of describe-job.ts: imports one bundle and reports what it exports. */
import { parentPort } from 'node:worker_threads';
import { isUserJob, type UserJob } from '../lib/user-job.ts';
import { userStack } from '../lib/user-stack.ts';
import type { DescribeReport, DescribeRequest, JobDescriptor } from './describe-job.ts';

process.setSourceMapsEnabled(true);
// Listens once: when the job awaits what never comes, the thread just ends, and the caller says so.
parentPort?.once('message', async ({ moduleUrl }: DescribeRequest) => {
  parentPort?.postMessage(await load(moduleUrl));
});

async function load(url: string): Promise<DescribeReport> {
  try {
    const exported = (await import(url)) as Readonly<Record<string, unknown>>;
    const job = exported.default;
    if (isUserJob(job)) return { kind: 'job', descriptor: descriptorOf(job) };
    return { kind: 'no-job', found: whatIsExported(exported) };
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    // The bundle has its own copy of the class, so instanceof would not see it.
    const isOurs = error.name === 'MillraceError' && (error as { code?: unknown }).code === 'job-file';
    return { kind: 'threw', name: error.name, message: error.message, stack: userStack(error), isOurs };
  }
}

function descriptorOf(job: UserJob): JobDescriptor {
  return {
    name: job.name,
    input: job.input,
    output: job.output,
    params: job.params,
    partition: typeof job.partition === 'function' ? 'custom' : (job.partition?.kind ?? 'hash'),
    ...(job.reducers === undefined ? {} : { reducers: job.reducers }),
    ...(job.splitBytes === undefined ? {} : { splitBytes: job.splitBytes }),
    hasCombine: job.combine !== undefined,
    hasReduce: job.reduce !== undefined,
  };
}

function whatIsExported(exported: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(exported);
  if (names.includes('default')) return `exports ${kindOf(exported.default)} by default`;
  return names.length === 0 ? 'exports nothing' : `exports ${names.join(', ')}, but nothing by default`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Promise) return 'a promise';
  if (typeof value === 'object') {
    const keys = Object.keys(value).slice(0, 5).join(', ');
    return keys === '' ? 'an empty object' : `an object { ${keys} }`;
  }
  if (typeof value === 'function') return value.name ? `the function ${value.name}` : 'a function';
  return `${typeof value} ${JSON.stringify(value) ?? ''}`.trim();
}
