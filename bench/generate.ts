/**
 * Makes input for benchmarks: the same bytes for the same kind, size and seed, on every machine.
 *
 *     node bench/generate.ts KIND SIZE PLACE [SEED]
 *
 * Without arguments it lists the kinds. SIZE is in bytes (`200MB`), for `one-key` and `distinct-keys` in lines. PLACE is a file; for `small-files` a folder.
 */
import { MillraceError } from '../lib/errors.ts';
import { parseBytes } from '../lib/units.ts';
import { ByteWriter } from './generators/byte-writer.ts';
import { writeGensort } from './generators/gensort.ts';
import { writeAccessLog, writeDocuments, writeEvents } from './generators/logs.ts';
import { writeKeys, writeRecords, writeSkewed } from './generators/records.ts';
import { seededRandom } from './generators/seeded-random.ts';
import { writeSmallFiles } from './generators/small-files.ts';
import { writeZipf } from './generators/zipf.ts';

const fileKinds = {
  zipf: (writer, size, seed) => writeZipf(writer, size, seededRandom(seed)),
  records: (writer, size, seed) => writeRecords(writer, size, seededRandom(seed)),
  gensort: writeGensort,
  'access-log': (writer, size, seed) => writeAccessLog(writer, size, seededRandom(seed)),
  documents: (writer, size, seed) => writeDocuments(writer, size, seededRandom(seed)),
  events: (writer, size, seed) => writeEvents(writer, size, seededRandom(seed)),
  skewed: (writer, size, seed) => writeSkewed(writer, size, seededRandom(seed)),
  'one-key': (writer, size) => writeKeys(writer, size, true),
  'distinct-keys': (writer, size) => writeKeys(writer, size, false),
} satisfies Record<string, (writer: ByteWriter, size: number, seed: number) => void>;

export type GeneratedKind = keyof typeof fileKinds | 'small-files';

export const generatedKinds = [...Object.keys(fileKinds), 'small-files'] as readonly GeneratedKind[];

/** Makes `size` bytes or lines; the last line may end over it. Returns the bytes written. */
export function generate(kind: GeneratedKind, size: number, path: string, seed = 1): number {
  if (kind === 'small-files') return writeSmallFiles(path, size, seededRandom(seed));
  using writer = new ByteWriter(path);
  fileKinds[kind](writer, size, seed);
  writer.flush();
  return writer.size;
}

if (import.meta.main) {
  const [wanted, size, path, seed = '1'] = process.argv.slice(2);
  const kind = generatedKinds.find((each) => each === wanted);
  if (!kind || !size || !path)
    throw new MillraceError(
      'invalid-argument',
      `usage: node bench/generate.ts ${generatedKinds.join('|')} SIZE PLACE [SEED]`,
    );
  console.log(`${path}: ${generate(kind, parseBytes(size, 'SIZE'), path, Number(seed))} bytes`);
}
