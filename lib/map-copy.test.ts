import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { type AttemptId, toJobId, toWorkerId } from './ids.ts';
import { limits } from './limits.ts';
import {
  attemptOfIndex,
  decodeIndex,
  encodeIndex,
  indexUri,
  type MapCopy,
  mapOfCopy,
  pieceUri,
  readIndex,
} from './map-copy.ts';
import { createStores } from './store/resolve.ts';

const jobId = toJobId('job-1');
const attempt: AttemptId = { jobId, kind: 'map', index: 12, attempt: 1, epoch: 3 };
const part = {
  uri: 's3://out/_bad/part-m-00012.jsonl',
  token: 't',
  bytes: 9,
  records: 2,
  crc32: 7,
  columns: [],
};
const copy: MapCopy = {
  attempt,
  worker: toWorkerId('host-1'),
  pieceBytes: 8,
  report: {
    inputRecords: 5,
    inputBytes: 50,
    segments: [
      { records: 2, bytes: 20, crc32: 4_000_000_000 },
      { records: 0, bytes: 0, crc32: 0 },
    ],
    part: undefined,
    spills: 1,
    spillBytes: 30,
    bad: { part, examples: ['m12 …'] },
    copied: true,
  },
  counters: { seen: 5 },
};

const bundle = { uri: 's3://store/jobs/job-1/bundle-ab.mjs', sha256: 'ab', bytes: 1 };

/** The text with its right checksum. */
function resealed(text: string): Buffer {
  return Buffer.from(`${crc32(text).toString(16).padStart(8, '0')} ${text}`);
}

test('the objects of a copy are named by numbers of ours, beside the job file', () => {
  expect(pieceUri({ bundle }, attempt, 7)).toBe('s3://store/jobs/job-1/maps/m12.1.e3.00007');
  expect(indexUri({ bundle }, attempt)).toBe('s3://store/jobs/job-1/maps/m12.1.e3.json');
  expect(mapOfCopy('jobs/job-1/maps/m12.0.e3.00001')).toBe(12);
  expect(mapOfCopy('jobs/job-1/maps/m12.0.e3.json')).toBe(12);
  expect(mapOfCopy('jobs/job-1/maps/m12')).toBeUndefined();
  expect(attemptOfIndex(jobId, 'jobs/job-1/maps/m12.1.e3.json')).toEqual(attempt);
  for (const key of ['jobs/job-1/maps/m12.1.e3.00007', 'jobs/job-1/maps/m12.1.json', 'jobs/job-1/spec.json'])
    expect(attemptOfIndex(jobId, key)).toBeUndefined();
});

test('an index is frozen: these bytes, and back', () => {
  const bytes = encodeIndex(copy);
  expect(bytes.toString()).toMatchInlineSnapshot(
    `"0b29f179 {"version":1,"attempt":"job-1-m12-1-3","worker":"host-1","pieceBytes":8,"report":{"inputRecords":5,"inputBytes":50,"spills":1,"spillBytes":30,"bad":{"part":{"uri":"s3://out/_bad/part-m-00012.jsonl","token":"t","bytes":9,"records":2,"crc32":7,"columns":[]},"examples":["m12 …"]}},"counters":{"seen":5},"segments":[[2,20,4000000000],[0,0,0]]}"`,
  );
  expect(decodeIndex(bytes, attempt, 'x')).toEqual(copy);
});

test('an index of which any byte was changed is refused', () => {
  const bytes = encodeIndex(copy);
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 1;
    expect(() => decodeIndex(damaged, attempt, 'x'), `byte ${at}`).toThrow(
      expect.objectContaining({ code: 'corrupt' }),
    );
  }
});

test('a whole index of another attempt or version, and one whose fields make no sense, are refused by name', () => {
  const text = encodeIndex(copy).toString('utf8', 9);
  const decode = (changed: string) => decodeIndex(resealed(changed), attempt, 's3://store/index');
  expect(() => decodeIndex(encodeIndex(copy), { ...attempt, index: 13 }, 's3://store/index')).toThrow(
    's3://store/index is corrupt: it is the index of job-1-m12-1-3',
  );
  expect(() => decode(text.replace('"version":1', '"version":2'))).toThrow('it has version 2, not 1');
  for (const [from, to] of [
    ['"pieceBytes":8', '"pieceBytes":0'],
    ['[2,20,4000000000]', '[2,-20,4000000000]'],
    ['"inputRecords":5', '"inputRecords":"5"'],
    ['"token":"t"', '"token":1'],
    ['"seen":5', '"seen":null'],
  ] as const)
    expect(() => decode(text.replace(from, to)), to).toThrow('its fields make no sense');
});

test('a missing index, and one that is too large to be one, are told apart', async () => {
  const stores = createStores();
  const job = { bundle: { ...bundle, uri: `mem://${randomUUID()}/jobs/job-1/bundle.mjs` } };
  await expect(readIndex(stores, job, attempt)).rejects.toMatchObject({ code: 'not-found' });
  const { store, key } = stores.locate(indexUri(job, attempt));
  await store.put(key, Buffer.alloc(limits.mapCopyIndexBytesMax + 1));
  await expect(readIndex(stores, job, attempt)).rejects.toMatchObject({ code: 'limit-exceeded' });
  await store.put(key, encodeIndex(copy));
  expect(await readIndex(stores, job, attempt)).toEqual(copy);
});
