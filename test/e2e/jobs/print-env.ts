/** Shows everything a job finds in its environment: in its log, its output and its errors. */
import { threadId, workerData } from 'node:worker_threads';
import { defineJob } from 'millrace';

export default defineJob(import.meta, {
  name: 'print-env',
  params: { fail: false },
  reducers: 1,
  *map(line, ctx) {
    const seen = JSON.stringify({
      env: process.env,
      argv: process.argv,
      execArgv: process.execArgv,
      workerData,
    });
    ctx.log(`${threadId} ${seen}`);
    if (ctx.params.fail) throw new Error(`${line} ${seen}`);
    yield [line, seen];
  },
});
