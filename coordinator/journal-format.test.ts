import { expect, test } from 'vitest';
import { type JobId, toWorkerId } from '../lib/ids.ts';
import { makeSplits } from '../test/core/make.ts';
import type { PersistRecord } from './core/effects.ts';
import {
  decodeEntry,
  decodeSnapshot,
  type EncodedEntry,
  encodeEntry,
  recordPieces,
} from './journal-format.ts';

const head = { version: 3, seq: 7, epoch: 3, nonce: 'n', previous: 5, host: 'h', pid: 1 } as const;
const records: PersistRecord[] = [
  { type: 'worker-joined', at: 5, workerId: toWorkerId('w1') },
  { type: 'worker-gone', at: 6, workerId: toWorkerId('w1') },
];
const golden =
  '{"version":3,"seq":7,"epoch":3,"nonce":"n","previous":5,"host":"h","pid":1}\n' +
  '{"type":"worker-joined","at":5,"workerId":"w1"}\n' +
  '{"type":"worker-gone","at":6,"workerId":"w1"}\n' +
  '{"crc32":2568212449}\n';

function encodeLines(text: string): EncodedEntry {
  return encodeEntry(head, [{ text, endsEntry: true }]);
}

test('an entry of version 3 is these bytes, and they are read back', () => {
  const { bytes, crc32 } = encodeEntry(head, recordPieces(records));
  expect(bytes.toString()).toBe(golden);
  expect(decodeEntry(bytes, 7, 'log/7')).toEqual({ head, records, bytes: bytes.length, crc32 });
});

test('an entry under the name of another one is refused', () => {
  expect(() => decodeEntry(encodeEntry(head, []).bytes, 8, 'log/8')).toThrow(/log\/8 .*says to be number 7/);
});

test('what an older version wrote, which had no checksum, is named as such, with what to do', () => {
  const old = Buffer.from(
    '{"version":1,"seq":7,"epoch":3,"nonce":"n","host":"h","pid":1}\n{"type":"x","at":1}\n',
  );
  expect(() => decodeEntry(old, 7, 's3://b/log/7')).toThrow(
    expect.objectContaining({
      code: 'wrong-state',
      message: expect.stringMatching(
        /s3:\/\/b\/log\/7 .*another version.*format is 1.*--store \(MILLRACE_STORE\)/,
      ),
    }),
  );
});

test('a record that this version does not know stops the start, naming it', () => {
  const { bytes } = encodeLines('{"type":"job-paused","at":1}\n');
  expect(() => decodeEntry(bytes, 7, 'log/7')).toThrow(/another version.*"job-paused"/);
});

test.each(['', '\n', '{}\n', 'something else\n', '\0'.repeat(300)])(
  'what is no entry at all is corrupt: %j',
  (text) => {
    expect(() => decodeEntry(Buffer.from(text), 7, 'log/7')).toThrow(
      expect.objectContaining({ code: 'corrupt', message: expect.stringContaining('log/7') }),
    );
  },
);

test('a line that is no record is corrupt although the checksum is right', () => {
  for (const line of ['[]', '1', 'x', '{"type":"worker-gone"}']) {
    const { bytes } = encodeLines(`${line}\n`);
    expect(() => decodeEntry(bytes, 7, 'log/7')).toThrow(expect.objectContaining({ code: 'corrupt' }));
  }
});

test('a snapshot says where epochs began; an entry in its place is corrupt', () => {
  const snapshot = { ...head, epochStarts: [1, 4] };
  expect(decodeSnapshot(encodeEntry(snapshot, []).bytes, 7, 'snapshots/7').head).toEqual(snapshot);
  expect(() => decodeSnapshot(encodeEntry(head, []).bytes, 7, 'snapshots/7')).toThrow(/where epochs began/);
});

test('the plan of a large job is a line like any other, made in pieces that are small, in an entry of its own', () => {
  const splits = makeSplits(12_345);
  const plan: PersistRecord = { type: 'job-planned', at: 5, jobId: 'j1' as JobId, splits };
  const pieces = [...recordPieces([records[0]!, plan, records[1]!])];
  const entries = pieces.map(({ text, endsEntry }) => (endsEntry ? `${text}#` : text)).join('');
  const lines = [records[0], plan, records[1]].map((record) => `${JSON.stringify(record)}\n#`);
  expect(entries).toBe(lines.join(''));
  const longest = Math.max(...pieces.map(({ text }) => text.length));
  expect(longest).toBeLessThan(JSON.stringify(splits).length / 10);
});
