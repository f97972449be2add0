import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JobSpec } from '../../lib/job-spec.ts';
import { createStores } from '../../lib/store/resolve.ts';
import { loadJob } from './load-job.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'load-job-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function specOf(source: string, sha256 = createHash('sha256').update(source).digest('hex')): JobSpec {
  const path = join(directory, 'bundle.mjs');
  writeFileSync(path, source);
  return { name: 'j', bundle: { uri: pathToFileURL(path).href, sha256, bytes: source.length } } as JobSpec;
}

const load = (spec: JobSpec) => loadJob(spec, createStores(), join(directory, 'cache'));

describe('loadJob', () => {
  it('imports the bundle once, and keeps it by its hash', async () => {
    const spec = specOf(
      `globalThis.loads = (globalThis.loads ?? 0) + 1; export default { millraceJob: 1, name: 'j' };`,
    );
    const job = await load(spec);
    expect(job.name).toBe('j');
    rmSync(join(directory, 'bundle.mjs'));
    expect(await load(spec)).toBe(job);
    expect((globalThis as { loads?: number }).loads).toBe(1);
    expect(readdirSync(join(directory, 'cache'))).toEqual([`${spec.bundle.sha256}.mjs`]);
  });

  it('lets two threads fetch it at the same moment', async () => {
    const spec = specOf(`export default { millraceJob: 1, name: 'j' };`);
    const program = join(import.meta.dirname, '../../test/load-job-thread.ts');
    const workerData = { spec, barrier: new SharedArrayBuffer(4), directory: join(directory, 'cache') };
    const threads = [0, 1].map(() => new Worker(program, { workerData }));
    await Promise.all(threads.map((thread) => once(thread, 'exit')));
    expect(readdirSync(join(directory, 'cache'))).toEqual([`${spec.bundle.sha256}.mjs`]);
  });

  it('never runs bytes that are not those submitted', async () => {
    const spec = specOf('globalThis.ran = true; export default { millraceJob: 1 };', '0'.repeat(64));
    await expect(load(spec)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('0000'),
    });
    expect(globalThis).not.toHaveProperty('ran');
  });

  it('fetches again when the kept file was changed', async () => {
    const spec = specOf(`export default { millraceJob: 1, name: 'whole' };`);
    await load(spec);
    writeFileSync(join(directory, 'cache', `${spec.bundle.sha256}.mjs`), 'nonsense(');
    expect((await load(spec)).name).toBe('whole');
  });

  it('is a user error of loading when the module throws or exports no job', async () => {
    await expect(load(specOf(`throw new TypeError('at top level')`))).rejects.toMatchObject({
      failure: { kind: 'user-error', where: 'load', name: 'TypeError', message: 'at top level' },
    });
    await expect(load(specOf('export default {}'))).rejects.toMatchObject({
      failure: { kind: 'user-error', where: 'load', message: expect.stringContaining('defineJob') },
    });
  });
});
