/** Replay in real processes: of reduces from what was kept of their input, under the inspector, and from a store on S3. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { describeWithMinio } from '../minio/describe-with-minio.ts';
import { Bucket } from './bucket.ts';
import { endAll, runCli, startCli } from './cli-process.ts';
import { Cluster } from './cluster.ts';
import { attachTo } from './inspector.ts';

const job = join(import.meta.dirname, 'jobs/fails-in-reduce.ts');
const lines = Array.from({ length: 200 }, (_, i) => `alpha beta w${i % 17} alpha`).join('\n');
let folder: string;
let input: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-replay-e2e-'));
  input = join(folder, 'in');
  mkdirSync(input);
  writeFileSync(join(input, 'words.txt'), lines);
});
afterEach(endAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Failed {
  readonly id: string;
  /** Whose reduce met the word. */
  readonly task: string;
}

async function fail(cluster: Cluster, where: { input: string; output: string }): Promise<Failed> {
  const options = { ...where, maps: 3, params: { word: 'w9' } };
  const handle = await cluster.client.submit(job, options);
  const view = await handle.wait();
  expect(view.state).toBe('FAILED');
  return { id: handle.id, task: view.cause!.task! };
}

test('a reduce that failed is replayed from what it had read, when its cluster is gone', async () => {
  const store = join(folder, 'state');
  let failed: Failed;
  {
    await using cluster = await Cluster.start({ workers: 2, store: `file://${store}` });
    failed = await fail(cluster, { input, output: join(folder, 'out') });
    // Written last of what the coordinator keeps of a job, soon after its end.
    await vi.waitFor(
      () => expect(existsSync(join(store, 'jobs', failed.id, 'outcome.json'))).toBe(true),
      10_000,
    );
  }
  const { id, task } = failed;
  const replayed = await runCli(['replay', id, task, '--store', `file://${store}`, '--head', '1']);
  expect(replayed.code).toBe(1);
  expect(replayed.stdout).toMatch(/^\["\w+",\d+\]\n$/);
  expect(replayed.stderr).toMatch(new RegExp(`${task}\\.0 of fails-in-reduce`));
  expect(replayed.stderr).toMatch(/reads {4}what attempt 0 had read, of 3 maps/);
  expect(replayed.stderr).toMatch(/failed again after \d+ records and \d+ output records?:/);
  expect(replayed.stderr).toMatch(/RangeError: 12 times w9 is too often/);
  expect(replayed.stderr).toMatch(/key "?w9"?/);
  expect(replayed.stderr).toMatch(/at check \(.*fails-in-reduce\.ts:\d+:/);

  const other = task === 'r0' ? 'r1' : 'r0';
  const missing = await runCli(['replay', id, other, '--store', `file://${store}`]);
  expect([missing.code, missing.stderr]).toEqual([
    2,
    expect.stringMatching(
      new RegExp(`the input of ${other} was not kept: no attempt of it failed.*run the job again`),
    ),
  ]);
  const none = await runCli(['replay', id, 'r9', '--store', `file://${store}`]);
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('has 2 reduce tasks')]);
});

test('with --inspect it waits for a debugger, which sees the error where it is thrown', async () => {
  await using cluster = await Cluster.start({ workers: 1 });
  const { id, task } = await fail(cluster, { input, output: join(folder, 'inspected') });
  const store = `file://${join(cluster.folder, 'store')}`;
  const replay = startCli(['replay', id, task, '--store', store, '--inspect', '0']);
  await using debugger_ = await attachTo(replay.child);
  expect(debugger_.targets).toMatchObject([{ type: 'node', webSocketDebuggerUrl: debugger_.url }]);
  await debugger_.call('Debugger.enable');
  await debugger_.call('Debugger.setPauseOnExceptions', { state: 'all' });
  await debugger_.call('Runtime.runIfWaitingForDebugger');
  for (;;) {
    const { reason, callFrames } = await debugger_.paused();
    if (reason === 'exception' && callFrames[0]!.functionName === 'check') break;
    await debugger_.call('Debugger.resume');
  }
  await debugger_.call('Debugger.disable');
  await debugger_[Symbol.asyncDispose]();
  const { code, stderr } = await replay.ended;
  expect([code, stderr]).toEqual([1, expect.stringContaining('is too often')]);
});

await describeWithMinio('replay from a store on MinIO', (minio) => {
  test('of a map and of a reduce', async () => {
    const bucket = await Bucket.make(minio());
    await bucket.put('in/words.txt', Buffer.from(lines));
    const env = minio().env();
    const store = bucket.uri('state');
    await using cluster = await Cluster.start({ workers: 2, store, env });
    const { id, task } = await fail(cluster, { input: bucket.uri('in/'), output: bucket.uri('out') });
    const map = await runCli(['replay', id, 'm0', '--store', store, '--head', '2'], { env });
    expect([map.code, map.stdout]).toEqual([0, '["alpha",1]\n["beta",1]\n']);
    const reduce = await runCli(['replay', id, task, '--store', store], { env });
    expect([reduce.code, reduce.stderr]).toEqual([1, expect.stringContaining('12 times w9 is too often')]);
    const kept = await bucket.keys(`state/jobs/${id}/kept/`);
    expect(kept.map((key) => key.split('/kept/')[1])).toEqual([
      `place-${task.slice(1)}`,
      ...['0-000001', 'claim-0.json', 'kept.json'].map((name) => `${task}/${name}`),
    ]);
  });
});
