/** One of two threads of a process that load the same bundle into the same folder: each has written it before either gives it its name. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { workerData } from 'node:worker_threads';
import type { JobSpec } from '../lib/job-spec.ts';
import { createStores } from '../lib/store/resolve.ts';
import { loadJob } from '../worker/user/load-job.ts';

const { spec, barrier, directory } = workerData as {
  spec: JobSpec;
  barrier: SharedArrayBuffer;
  directory: string;
};
const written = new Int32Array(barrier);
const rename = fs.renameSync;
fs.renameSync = (from, to) => {
  Atomics.add(written, 0, 1);
  Atomics.notify(written, 0);
  Atomics.wait(written, 0, 1);
  rename(from, to);
};
syncBuiltinESMExports();
Date.now = () => 0;
await loadJob(spec, createStores(), directory);
