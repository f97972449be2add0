import { expect, test } from 'vitest';
import { ManualClock } from '../lib/clock.ts';
import { createLog } from '../lib/log.ts';
import { thisProcess } from '../lib/process-id.ts';
import { MemoryStore } from '../lib/store/memory-store.ts';
import type { Lead } from './lead.ts';
import { type Leader, readLeader, writeLeader } from './leader-file.ts';
import { Leadership } from './leadership.ts';

const leaseMs = 1_000;

/** A standby that nobody keeps from leading any more, and that is still replaying the journal. */
async function takingOver() {
  const clock = new ManualClock();
  const location = { store: new MemoryStore(), key: 'x/', uri: 'mem://a/x/' };
  const before = {
    version: 1,
    epoch: 0,
    nonce: 'n',
    counter: 1,
    ...thisProcess,
    host: 'another-host',
  } as const;
  const leader: Leader = { ...before, grpc: 'a:7450', http: null, isOver: false };
  await writeLeader(location, leader);
  const closed: string[] = [];
  const asked = Promise.withResolvers<void>();
  const replayed = Promise.withResolvers<Lead>();
  const leadership = new Leadership({
    ...{ clock, location, leaseMs },
    log: createLog('test', 'silent'),
    addresses: () => ({ grpc: 'b:7450', http: null }),
    lead() {
      asked.resolve();
      return replayed.promise;
    },
  });
  expect(await leadership.start()).toBe(false);
  for (let fifths = 0; fifths < 6; fifths++) {
    clock.advance(leaseMs / 5);
    await new Promise(setImmediate);
  }
  await asked.promise;
  const lead = { failed: new Promise<never>(() => undefined), close: async () => void closed.push('lead') };
  return {
    clock,
    location,
    leader,
    leadership,
    closed,
    replay: () => replayed.resolve(lead as unknown as Lead),
  };
}

test('a standby that is closed while it takes over ends the lead that it has then', async () => {
  const { location, leadership, closed, replay } = await takingOver();
  await leadership.close();
  expect(await readLeader(location)).toMatchObject({ epoch: 1, isOver: true });
  expect(closed).toEqual([]);
  replay();
  await expect.poll(() => closed).toEqual(['lead']);
  expect(leadership.lead).toBeUndefined();
});

test('a standby that is deposed while it takes over says by whom, and ends its lead when it is closed for that', async () => {
  const { clock, location, leader, leadership, closed, replay } = await takingOver();
  await writeLeader(location, { ...leader, epoch: 2 });
  clock.advance(leaseMs / 3);
  await expect(leadership.failed).rejects.toThrow(/another coordinator leads: .* at a:7450 \(epoch 2\)/);
  await leadership.close();
  replay();
  await expect.poll(() => closed).toEqual(['lead']);
  expect(await readLeader(location)).toMatchObject({ epoch: 2, isOver: false });
});
