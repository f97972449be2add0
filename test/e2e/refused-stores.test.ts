/** A coordinator on a store that it must not go on with: it names what is wrong and what to change, ends, and leaves all as it was. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { PersistRecord } from '../../coordinator/core/effects.ts';
import { StoreJournal } from '../../coordinator/journal.ts';
import { systemClock } from '../../lib/clock.ts';
import { toWorkerId } from '../../lib/ids.ts';
import { createLog } from '../../lib/log.ts';
import { createStores } from '../../lib/store/resolve.ts';
import { fileUri } from '../../lib/store/uri.ts';
import { endAll, runCli, startCli } from './cli-process.ts';

let folder: string;
let stores = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-refused-'));
  await writeJournal('own');
  await writeJournal('other');
});
afterEach(endAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Two coordinators, one after the other; the second one leaves a snapshot in the middle. */
async function writeJournal(name: string): Promise<void> {
  const location = createStores().locate(fileUri(`${join(folder, name)}/`));
  const record = (at: number): PersistRecord => ({ type: 'worker-joined', at, workerId: toWorkerId(name) });
  for (const epoch of [1, 2]) {
    const journal = await StoreJournal.open(location, {
      clock: systemClock,
      log: createLog('test', 'silent'),
    });
    for (const at of [1, 2, 3]) await journal.append([record(10 * epoch + at)]);
    if (epoch === 1) continue;
    journal.snapshot([record(1)]);
    for (const at of [4, 5, 6]) await journal.append([record(10 * epoch + at)]);
    await journal.close();
  }
}

function copyOf(name: string): string {
  const copy = join(folder, `store-${stores++}`);
  cpSync(join(folder, name), copy, { recursive: true });
  return copy;
}

function filesOf(store: string): Record<string, string> {
  const paths = readdirSync(store, { recursive: true, encoding: 'utf8' }).sort();
  const files = paths.filter((path) => statSync(join(store, path)).isFile());
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(store, path), 'latin1')]));
}

const entry = 'log/000000000010';
const snapshot = 'snapshots/000000000008';

function change(store: string, path: string, edit: (text: string) => string): void {
  writeFileSync(join(store, path), edit(readFileSync(join(store, path), 'utf8')));
}

const coordinator = (store: string) => ['coordinator', '--listen', '127.0.0.1:0', '--store', store];

test('the journals of these tests are what they are meant to be', () => {
  expect(Object.keys(filesOf(join(folder, 'own')))).toEqual([
    ...['log/000000000001', 'log/000000000005', 'log/000000000009', entry, 'log/000000000011', snapshot],
  ]);
});

test.each<[what: string, damage: (store: string) => void, code: number, message: RegExp]>([
  [
    'one bit of an entry is another',
    (store) => change(store, entry, (text) => text.replace('"at":25', '"at":24')),
    3,
    /--store.*log\/000000000010 is not a whole part of the journal: its checksum .*another --store \(MILLRACE_STORE\), or put .* back from a backup/,
  ],
  [
    'an entry is cut off',
    (store) => change(store, entry, (text) => text.slice(0, 90)),
    3,
    /log\/000000000010 is not a whole part/,
  ],
  [
    'an entry in the middle is gone',
    (store) => rmSync(join(store, entry)),
    3,
    /log\/.*an entry is missing .*log\/000000000010/,
  ],
  [
    'the snapshot is damaged',
    (store) => change(store, snapshot, (text) => text.replace('"at":1', '"at":7')),
    3,
    /snapshots\/000000000008 is not a whole part of the journal: its checksum/,
  ],
  [
    'the snapshot is gone, and with it what it replaced',
    (store) => rmSync(join(store, snapshot)),
    3,
    /an entry is missing .*log\/000000000002/,
  ],
  [
    'an entry is of another cluster',
    (store) => cpSync(join(folder, 'other', entry), join(store, entry)),
    3,
    /log\/000000000010 .*one of the two is of another journal/,
  ],
  [
    'the snapshot is of another cluster',
    (store) => cpSync(join(folder, 'other', snapshot), join(store, snapshot)),
    3,
    /snapshots\/000000000008 .*one of the two is of another journal/,
  ],
  [
    'an entry was written by a newer version',
    (store) => change(store, entry, (text) => text.replace('{"version":3', '{"version":9')),
    1,
    /log\/000000000010 was written by another version of Millrace \(its format is 9, .*run that version on this store/,
  ],
])('%s', async (_, damage, code, message) => {
  const store = copyOf('own');
  damage(store);
  const before = filesOf(store);
  const ended = await runCli(coordinator(store));
  expect(ended.stderr).toMatch(message);
  expect(ended).toMatchObject({ code, stdout: '' });
  expect(filesOf(store)).toEqual(before);
});

test('a newer snapshot that is damaged, before anything it replaces was removed: without it the store is whole', async () => {
  const store = copyOf('own');
  const newer = 'snapshots/000000000010';
  writeFileSync(join(store, newer), readFileSync(join(store, snapshot)).subarray(0, 100));
  const refused = await runCli(coordinator(store));
  expect(refused).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/snapshots\/000000000010 is not a whole/),
  });
  rmSync(join(store, newer));
  const { child, firstLine, ended } = startCli([...coordinator(store), '--lease', '1s', '--json']);
  await firstLine;
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 0 });
});

test('leader.json is not one: whoever starts leads all the same, and goes on with the journal', async () => {
  const store = copyOf('own');
  writeFileSync(join(store, 'leader.json'), '{"version":1,"epoch":"many"');
  const { child, ended } = startCli([...coordinator(store), '--lease', '1s', '--json']);
  const started = await new Promise<string>((resolve) => {
    let text = '';
    child.stderr!.on('data', (chunk) => {
      text += chunk;
      if (text.includes('the coordinator is up')) resolve(text);
    });
  });
  expect(started).toMatch(/"epoch":3/);
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 0 });
  expect(JSON.parse(readFileSync(join(store, 'leader.json'), 'utf8'))).toMatchObject({ epoch: 3 });
});
