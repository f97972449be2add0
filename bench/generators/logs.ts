/** What people have: access logs, documents, JSON lines. */
import type { ByteWriter } from './byte-writer.ts';
import { ZipfWords } from './zipf.ts';

const paths = 2_000;
const documentWordsMin = 32;
const users = 5_000;
const bodyBytesMin = 512;
const bodyBytesMax = 4096;

/**
 * Lines of a web server as `accessLogLine` in scenarios/scenario-name.ts reads them. Paths with low numbers come most often; each path is
 * slow in its own way, one request in fifty much more so.
 */
export function writeAccessLog(writer: ByteWriter, bytes: number, random: () => number): void {
  for (let index = 0; writer.size < bytes; index++) {
    // Halved as often as a draw says: low ones are many times as frequent.
    const path = (random() % paths) >> (random() % 11);
    const host = `${10 + (random() % 90)}.${random() % 256}.${random() % 256}.${random() % 256}`;
    const second = index % 86_400;
    const time = [second / 3600, (second / 60) % 60, second % 60].map(twoDigits).join(':');
    const request = `${random() % 10 ? 'GET' : 'POST'} /articles/${path}/comments`;
    const status = [200, 200, 200, 200, 200, 200, 304, 404, 301, 500][random() % 10];
    const base = 5 + (path % 40);
    const ms = random() % 50 ? base + (random() % base) : base * (10 + (random() % 20));
    writer.write(
      `${host} - - [21/Nov/2026:${time} +0000] "${request} HTTP/1.1" ${status} ${random() % 100_000} ${ms}\n`,
    );
  }
}

const twoDigits = (value: number) => String(Math.floor(value)).padStart(2, '0');

/** Lines `document\tword word …` of 32 to 63 words; the documents are numbered with leading zeros. */
export function writeDocuments(writer: ByteWriter, bytes: number, random: () => number): void {
  const words = new ZipfWords(random);
  for (let document = 0; writer.size < bytes; document++) {
    writer.write(`d${String(document).padStart(8, '0')}\t`);
    words.writeLine(writer, documentWordsMin + (random() & 31));
  }
}

/** JSON lines `{"user":…,"body":…}` with bodies of 0.5 to 4 KiB. */
export function writeEvents(writer: ByteWriter, bytes: number, random: () => number): void {
  const words = new ZipfWords(random);
  while (writer.size < bytes) {
    writer.reserve(2 * bodyBytesMax);
    writer.write(`{"user":"u${String(random() % users).padStart(5, '0')}","body":"`);
    const end = writer.at + bodyBytesMin + (random() % (bodyBytesMax - bodyBytesMin));
    let at = writer.at;
    while (at < end) at = words.writeWord(writer.buffer, at);
    writer.at = end;
    writer.write('"}\n');
  }
}
