/** The journal on a real MinIO behind a proxy: answers that are lost or refused, at every request that a decision makes. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PersistRecord } from '../../coordinator/core/effects.ts';
import { StoreJournal } from '../../coordinator/journal.ts';
import { systemClock } from '../../lib/clock.ts';
import { toWorkerId } from '../../lib/ids.ts';
import { createLog } from '../../lib/log.ts';
import { createStores } from '../../lib/store/resolve.ts';
import type { StoreLocation } from '../../lib/store/store.ts';
import { describeWithMinio } from '../minio/describe-with-minio.ts';
import { type Fault, FaultProxy } from './fault-proxy.ts';

const ports = { clock: systemClock, log: createLog('test', 'silent') };
const record = (at: number): PersistRecord => ({ type: 'worker-joined', at, workerId: toWorkerId('w') });
const faults: readonly Fault[] = [
  { kind: 'lose-answer' },
  { kind: 'answer', status: 500, code: 'InternalError' },
  { kind: 'answer', status: 503, code: 'SlowDown' },
];
/** What only a conditional put is answered with. */
const conflict: Fault = { kind: 'answer', status: 409, code: 'ConditionalRequestConflict' };

await describeWithMinio('the journal in trouble', (minio) => {
  let proxy: FaultProxy;
  /** Through the proxy, and past it. */
  let location: StoreLocation;
  let direct: StoreLocation;

  beforeEach(async () => {
    proxy = await FaultProxy.start(minio().endpoint);
    const uri = `s3://${await minio().makeBucket()}/cluster/`;
    location = createStores({ s3: minio().access(proxy.endpoint) }).locate(uri);
    direct = createStores({ s3: minio().access() }).locate(uri);
  });
  afterEach(() => proxy[Symbol.asyncDispose]());

  const replay = async () => (await StoreJournal.open(direct, ports)).takeReplayed().map(({ at }) => at);
  const keys = async () => {
    const found: string[] = [];
    for await (const { key } of direct.store.list(direct.key)) found.push(key.slice(direct.key.length));
    return found;
  };

  test.each([...faults, conflict])(
    'a start, decisions, a snapshot and removals that each meet $kind $status are made once',
    async (fault) => {
      proxy.fail('PutObject', fault);
      const journal = await StoreJournal.open(location, ports);
      for (const at of [1, 2, 3]) {
        proxy.fail('PutObject', fault);
        await journal.append([record(at)]);
      }
      proxy.fail('PutObject', fault);
      if (fault !== conflict) proxy.fail('DeleteObject', fault, { times: 2 });
      journal.snapshot([1, 2, 3].map(record));
      await journal.close();
      proxy.fail('PutObject', fault);
      await journal.append([record(4)]);
      expect(await keys()).toEqual(['log/000000000001', 'log/000000000005', 'snapshots/000000000004']);
      expect(await replay()).toEqual([1, 2, 3, 4]);
    },
  );

  test.each(faults)('a replay whose reads each meet $kind $status tells the whole', async (fault) => {
    const before = await StoreJournal.open(direct, ports);
    await before.append([record(1)]);
    before.snapshot([record(1)]);
    await before.close();
    await before.append([record(2)]);
    proxy.fail('ListObjectsV2', fault, { times: 2 });
    proxy.fail('GetObject', fault, { times: 2 });
    const journal = await StoreJournal.open(location, ports);
    expect(journal.takeReplayed().map(({ at }) => at)).toEqual([1, 2]);
  });

  test('an append whose answer is lost, and whose place a successor wanted meanwhile, is ours or theirs, never both', async () => {
    const journal = await StoreJournal.open(location, ports);
    let successor: StoreJournal | undefined;
    const run = async () => {
      successor = await StoreJournal.open(direct, ports);
    };
    proxy.fail('PutObject', { kind: 'first', run });
    await expect(journal.append([record(1)])).rejects.toMatchObject({ code: 'wrong-state' });
    await successor?.append([record(2)]);
    expect(await replay()).toEqual([2]);
  });
});
