import { expect, test } from 'vitest';
import { toWorkerId } from '../../lib/ids.ts';
import { WorkerOwners } from './worker-owners.ts';

const id = toWorkerId('w1');
const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'permission-denied', message: expect.stringMatching(message) });

test('a worker comes back as the process that it was, and a connected one is nobody else', () => {
  const owners = new WorkerOwners();
  owners.claim(id, { fingerprint: '', pid: 7 }, false);
  owners.claim(id, { fingerprint: '', pid: 7 }, true);
  expect(() => owners.claim(id, { fingerprint: '', pid: 8 }, true)).toThrow(
    refused(/connected already, as process 7/),
  );
  owners.claim(id, { fingerprint: '', pid: 8 }, false);
});

test('an id belongs to the certificate that joined with it, connected or not', () => {
  const owners = new WorkerOwners();
  owners.claim(id, { fingerprint: 'AA', pid: 7 }, false);
  for (const isLive of [true, false]) {
    for (const fingerprint of ['BB', ''])
      expect(() => owners.claim(id, { fingerprint, pid: 7 }, isLive)).toThrow(refused(/another certificate/));
  }
});

test('only workers of the same certificate can be replaced; one that nobody knows may be', () => {
  const owners = new WorkerOwners();
  owners.claim(id, { fingerprint: 'AA', pid: 7 }, false);
  owners.checkReplaces([id, toWorkerId('unknown')], { fingerprint: 'AA', pid: 9 });
  expect(() => owners.checkReplaces([id], { fingerprint: 'BB', pid: 9 })).toThrow(
    refused(/w1.*--dir.*take over/),
  );
});
