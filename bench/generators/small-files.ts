/** Many small files: what a folder of mails, or of objects that a service drops each minute, looks like. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ByteWriter } from './byte-writer.ts';
import { ZipfWords } from './zipf.ts';

const fileBytesMin = 2048;
const filesPerFolder = 1000;

/** Files of 2 to 10 KiB of lines of words in folders of 1000. Returns the bytes of all. */
export function writeSmallFiles(folder: string, bytes: number, random: () => number): number {
  const words = new ZipfWords(random);
  let written = 0;
  for (let file = 0; written < bytes; file++) {
    const directory = join(folder, `d${String(Math.floor(file / filesPerFolder)).padStart(4, '0')}`);
    mkdirSync(directory, { recursive: true });
    using writer = new ByteWriter(join(directory, `f${String(file).padStart(7, '0')}.txt`));
    const wanted = fileBytesMin + (random() & 8191);
    while (writer.size < wanted) words.writeLine(writer, 8 + (random() & 7));
    writer.flush();
    written += writer.size;
  }
  return written;
}
