import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunReader, RunWriter } from './run-file.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'run-file-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const file = (name = 'a.run') => join(directory, name);

function segmentsOf(path: string): Buffer[] {
  using reader = new RunReader(path);
  return Array.from({ length: reader.partitions }, (_, partition) => {
    const segment = reader.segment(partition);
    const bytes = Buffer.alloc(segment.bytes);
    reader.read(segment.offset, bytes);
    if (crc32(bytes) !== segment.crc32) throw new Error('crc32 of a segment');
    return bytes;
  });
}

describe('RunWriter', () => {
  it('writes segments that the reader finds, empty ones too, whatever the size of the buffer', () => {
    const piece = fc.uint8Array({ minLength: 1, maxLength: 400 });
    const run = fc.array(fc.array(piece, { maxLength: 5 }), { maxLength: 20 });
    fc.assert(
      fc.property(run, fc.integer({ min: 8, max: 600 }), (partitions, bufferBytes) => {
        const writer = new RunWriter(file(), partitions.length, { bufferBytes });
        partitions.forEach((pieces, partition) => {
          for (const bytes of pieces) writer.append(partition, Buffer.from(bytes), 0, bytes.length);
        });
        const summary = writer.finish();
        expect(segmentsOf(file())).toEqual(partitions.map((pieces) => Buffer.concat(pieces)));
        using reader = new RunReader(file());
        expect(reader.bytes).toBe(summary.bytes);
        expect(partitions.map((_, partition) => reader.segment(partition))).toEqual(summary.segments);
        expect(summary.segments.map((segment) => segment.records)).toEqual(
          partitions.map((pieces) => pieces.length),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('shows nothing under its name before finish, and leaves nothing after abort', () => {
    const writer = new RunWriter(file(), 1, { bufferBytes: 8 });
    writer.append(0, Buffer.alloc(100), 0, 100);
    expect(existsSync(file())).toBe(false);
    writer.abort();
    writer.abort();
    expect(existsSync(file())).toBe(false);
    expect(existsSync(`${file()}.tmp`)).toBe(false);
  });

  it('refuses partitions that go back or over the end', () => {
    const writer = new RunWriter(file(), 2);
    writer.append(1, Buffer.alloc(1), 0, 1);
    expect(() => writer.append(0, Buffer.alloc(1), 0, 1)).toThrow('partition 0 after 1');
    expect(() => writer.append(3, Buffer.alloc(1), 0, 1)).toThrow('partition 3');
    writer.abort();
  });

  it.skipIf(!existsSync('/dev/full'))('calls a full disk no-space and names the file', () => {
    const writer = new RunWriter(file(), 1, { bufferBytes: 8, open: () => openSync('/dev/full', 'w') });
    let thrown: unknown;
    try {
      writer.append(0, Buffer.alloc(100), 0, 100);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'no-space', message: expect.stringContaining(file()) });
    writer.abort();
  });

  it('names a folder that is gone', () => {
    const path = join(directory, 'gone', 'a.run');
    expect(() => new RunWriter(path, 1)).toThrow(`cannot write ${path}`);
  });
});

describe('RunReader', () => {
  function writeSmall(): Buffer {
    const writer = new RunWriter(file(), 3);
    writer.append(0, Buffer.from('some pairs'), 0, 10, 2);
    writer.append(2, Buffer.from('more'), 0, 4, 1);
    writer.finish();
    return readFileSync(file());
  }

  it('accepts no file with one byte changed: the index refuses it, or the crc32 of the segment it is in', () => {
    const whole = writeSmall();
    let segmentsRefused = 0;
    for (let at = 0; at < whole.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const bad = Buffer.from(whole);
        bad[at] = bad[at]! ^ flip;
        writeFileSync(file('bad.run'), bad);
        const inSegment = at >= 8 && at < 22;
        if (inSegment) segmentsRefused++;
        expect(() => segmentsOf(file('bad.run'))).toThrow(inSegment ? 'crc32 of a segment' : 'is corrupt');
      }
    }
    expect(segmentsRefused).toBe(42);
  });

  it('accepts no cut file and none with bytes added', () => {
    const whole = writeSmall();
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(file('bad.run'), whole.subarray(0, length));
      expect(() => new RunReader(file('bad.run'))).toThrow('is corrupt');
    }
    writeFileSync(file('bad.run'), Buffer.concat([whole, Buffer.from([0])]));
    expect(() => new RunReader(file('bad.run'))).toThrow('is corrupt');
    writeFileSync(file('bad.run'), Buffer.concat([whole.subarray(0, 8), whole]));
    expect(() => new RunReader(file('bad.run'))).toThrow('is corrupt');
  });

  it('accepts no index that does not describe the file, even with the right crc32', () => {
    const whole = writeSmall();
    const footer = whole.length - 16 - 3 * 28;
    const forge = (at: number, change: number) => {
      const bad = Buffer.from(whole);
      bad.writeUInt32LE(bad.readUInt32LE(at) + change, at);
      bad.writeUInt32LE(crc32(bad.subarray(footer, bad.length - 8)), bad.length - 8);
      writeFileSync(file('bad.run'), bad);
      return () => new RunReader(file('bad.run'));
    };
    expect(forge(footer, 0)).not.toThrow();
    expect(forge(footer, 1)).toThrow('segment 0 begins at 9, not at 8');
    expect(forge(footer + 2 * 28 + 8, 1)).toThrow('its segments end at 23, not at 22');
    expect(forge(whole.length - 16, 1)).toThrow('84 bytes for 4 partitions');
  });

  it('says what is missing', () => {
    expect(() => new RunReader(file('gone.run'))).toThrow(expect.objectContaining({ code: 'not-found' }));
    writeSmall();
    using reader = new RunReader(file());
    expect(() => reader.segment(3)).toThrow('partition 3 is not in [0, 3)');
    expect(() => reader.read(reader.bytes - 2, Buffer.alloc(3))).toThrow(`ends at byte ${reader.bytes}`);
  });
});
