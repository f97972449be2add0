/** Lines that are records of 100 bytes: what line sorts of all systems agree on. */
import type { ByteWriter } from './byte-writer.ts';

const recordBytes = 100;
const keyBytes = 10;
const filler = 'abcdefghijklmnopqrstuvwxyz'.repeat(3).slice(0, recordBytes - keyBytes - 13);

/** A random printable key of 10 bytes, the record's number, and filler. */
export function writeRecords(writer: ByteWriter, bytes: number, random: () => number): void {
  for (let index = 0; index < Math.floor(bytes / recordBytes); index++) {
    writer.reserve(recordBytes);
    for (let at = 0; at < keyBytes; at++) writer.buffer[writer.at++] = 33 + (random() % 94);
    writer.write(` ${String(index).padStart(10, '0')} ${filler}\n`);
  }
}

/** Lines `key value`: all of one key, or each of its own. */
export function writeKeys(writer: ByteWriter, lines: number, same: boolean): void {
  for (let index = 0; index < lines; index++) {
    const number = String(index).padStart(10, '0');
    writer.write(same ? `key ${number}\n` : `key-${number} 1\n`);
  }
}

const skewedKeys = 1_000_000;

/** Lines `key value` in which one key has half of all values; the others are spread over a million keys. */
export function writeSkewed(writer: ByteWriter, bytes: number, random: () => number): void {
  for (let index = 0; writer.size < bytes; index++) {
    const key = random() & 1 ? 'hot' : `key-${random() % skewedKeys}`;
    writer.write(`${key} ${index}\n`);
  }
}
