/** A coordinator that stands still in a commit while another one takes the lead. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import type { JobSpec } from '../lib/job-spec.ts';
import { createLog } from '../lib/log.ts';
import { createStores, type Stores } from '../lib/store/resolve.ts';
import { readManifest } from '../lib/success-manifest.ts';
import { facts, namesBelow, outputSpec, stageParts, textAt, tryOf } from '../test/output-fixture.ts';
import { JobWatchers } from './job-watchers.ts';
import { StoreJournal } from './journal.ts';
import type { Happening } from './loop.ts';
import { discardStaged, publishOutput, unpublishOutput } from './output-folder.ts';
import { perform } from './perform.ts';

const log = createLog('test', 'silent');
const deposed = /^another coordinator leads/;
let stores: Stores;
let stateUri: string;
let outputUri: string;
let journal: StoreJournal;
beforeEach(async () => {
  stores = createStores();
  stateUri = `mem://${randomUUID()}/state/`;
  outputUri = `mem://${randomUUID()}/out/`;
  journal = await open();
});

/** Takes the lead. */
function open(): Promise<StoreJournal> {
  return StoreJournal.open(stores.locate(stateUri), { clock: systemClock, log });
}

const confirmLead = () => journal.confirmLead();
const tries = () => ({ ...tryOf(), confirmLead });

const names = () => namesBelow(stores, outputUri);
const text = (name: string) => textAt(stores, `${outputUri}${name}`);

/** Another job, by whoever leads. */
async function commitOther(): Promise<JobSpec> {
  const spec = outputSpec(outputUri, 'fail');
  const parts = await stageParts(stores, spec, ['other']);
  await publishOutput(stores, { spec, parts, success: facts }, tryOf());
  return spec;
}

describe('who stood still in a commit', () => {
  test.each([
    ['fail', []],
    ['append', ['_SUCCESS', 'part-r-00000']],
    ['replace', []],
  ] as const)('writes no _SUCCESS after another leader has undone it (%s)', async (ifExists, left) => {
    const other = ifExists === 'fail' ? undefined : await commitOther();
    const spec = outputSpec(outputUri, ifExists, ifExists === 'append' ? 1 : 0);
    const parts = await stageParts(stores, spec, ['a', 'b']);
    const { store, key } = stores.locate(outputUri);
    const publish = store.publish.bind(store);
    let published = 0;
    vi.spyOn(store, 'publish').mockImplementation(async (staged) => {
      await publish(staged);
      if (++published < parts.length) return;
      await open();
      await unpublishOutput(stores, { spec, parts, unsure: [] });
      await discardStaged(stores, { spec, parts, unsure: [] });
    });
    await expect(publishOutput(stores, { spec, parts, success: facts }, tries())).rejects.toThrow(deposed);
    expect(await names()).toEqual(left);
    if (ifExists === 'append') expect((await readManifest(store, key))?.jobId).toBe(other?.jobId);
  });

  test('changes nothing of what is there when another one leads by the time that all checks are passed', async () => {
    await commitOther();
    const spec = outputSpec(outputUri, 'replace');
    const parts = await stageParts(stores, spec, ['late', 'late']);
    await open();
    const late = tries();
    await expect(publishOutput(stores, { spec, parts, success: facts }, late)).rejects.toThrow(deposed);
    expect(late.begin).not.toHaveBeenCalled();
    expect(await names()).toEqual(['_SUCCESS', 'part-r-00000']);
    expect(await text('part-r-00000')).toBe('other');
  });
});

test('who stood still before it undid a commit touches nothing: another job may have written there since', async () => {
  const failed = outputSpec(outputUri, 'fail');
  const parts = await stageParts(stores, failed, ['a']);
  await open();
  await commitOther();
  const { promise: happened, resolve } = Promise.withResolvers<Happening>();
  perform(
    { type: 'discard-output', spec: failed, parts, unsure: [], unsureMaps: [] },
    {
      ...{ log, stores, watchers: new JobWatchers(), outputsInUse: new Set<string>(), confirmLead },
      commitsBegun: new Set([failed.jobId]),
      dispatch: resolve,
      sendToWorker: () => undefined,
      onJobEvent: () => undefined,
      onWorkerLost: () => undefined,
    },
  );
  expect(await happened).toEqual({ type: 'output-discarded', jobId: failed.jobId });
  expect(await names()).toEqual(['_SUCCESS', 'part-r-00000']);
  expect(await text('part-r-00000')).toBe('other');
});
