import { expect, test } from 'vitest';
import { toWorkerId } from '../../lib/ids.ts';
import { limits } from '../../lib/limits.ts';
import { WorkerOwners } from './worker-owners.ts';

const id = toWorkerId('w1');
const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'permission-denied', message: expect.stringMatching(message) });

test('a worker comes back as the process that it was, and a connected one is nobody else', () => {
  const live = new Set([id]);
  const owners = new WorkerOwners((worker) => live.has(worker));
  owners.claim(id, { fingerprint: '', pid: 7 });
  owners.claim(id, { fingerprint: '', pid: 7 });
  expect(() => owners.claim(id, { fingerprint: '', pid: 8 })).toThrow(
    refused(/connected already, as process 7/),
  );
  live.clear();
  owners.claim(id, { fingerprint: '', pid: 8 });
});

test('an id belongs to the certificate that joined with it, connected or not', () => {
  for (const isLive of [true, false]) {
    const owners = new WorkerOwners(() => isLive);
    owners.claim(id, { fingerprint: 'AA', pid: 7 });
    for (const fingerprint of ['BB', ''])
      expect(() => owners.claim(id, { fingerprint, pid: 7 })).toThrow(refused(/another certificate/));
  }
});

test('however many join after it, a worker that is connected is not forgotten; others are', () => {
  const owners = new WorkerOwners((worker) => worker === id);
  const other = toWorkerId('other');
  owners.claim(id, { fingerprint: 'AA', pid: 7 });
  owners.claim(other, { fingerprint: 'AA', pid: 7 });
  for (let i = 0; i < limits.workersRememberedMax; i++) {
    owners.claim(toWorkerId(`flood-${i}`), { fingerprint: 'BB', pid: 7 });
  }
  expect(() => owners.claim(id, { fingerprint: 'BB', pid: 7 })).toThrow(refused(/another certificate/));
  owners.claim(other, { fingerprint: 'BB', pid: 7 });
});

test('only workers of the same certificate can be replaced; one that nobody knows may be', () => {
  const owners = new WorkerOwners(() => false);
  owners.claim(id, { fingerprint: 'AA', pid: 7 });
  owners.checkReplaces([id, toWorkerId('unknown')], { fingerprint: 'AA', pid: 9 });
  expect(() => owners.checkReplaces([id], { fingerprint: 'BB', pid: 9 })).toThrow(
    refused(/w1.*--dir.*take over/),
  );
});
