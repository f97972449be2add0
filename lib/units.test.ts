import { expect, test } from 'vitest';
import { formatBytes, formatDurationMs, parseBytes, parseDurationMs } from './units.ts';

test.each([
  ['1000', 1000],
  ['10B', 10],
  ['512k', 512 * 1024],
  ['64MiB', 64 * 1024 ** 2],
  ['64 MiB', 64 * 1024 ** 2],
  ['1.5GiB', 1.5 * 1024 ** 3],
  ['1GB', 1e9],
  ['1kb', 1000],
])('size %s is %d bytes', (text, bytes) => {
  expect(parseBytes(text, '--split-size')).toBe(bytes);
});

test.each(['', '-1', 'MiB', '1 mib mib', '64MiBs', '1e9', '99999999999TiB', '10s'])(
  'size %j is refused and the message shows what is accepted',
  (text) => {
    expect(() => parseBytes(text, '--split-size')).toThrow(
      `--split-size: expected a size such as 500000, 512KiB, 64MiB or 1GB, got ${JSON.stringify(text)}`,
    );
  },
);

test.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['1.5s', 1500],
])('duration %s is %d ms', (text, ms) => {
  expect(parseDurationMs(text, '--task-timeout')).toBe(ms);
});

test.each(['10', '', 'soon', '5min', '-5s', '10MiB'])('duration %j is refused', (text) => {
  expect(() => parseDurationMs(text, '--task-timeout')).toThrow(
    '--task-timeout: expected a duration such as 500ms, 10s, 5m or 1h',
  );
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [1024 ** 2 - 1, '1 MiB'],
  [1.2 * 1024 ** 3, '1.2 GiB'],
  [64 * 1024 ** 2, '64 MiB'],
])('%d bytes read as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, '0ms'],
  [350, '350ms'],
  [999.7, '1s'],
  [4200, '4.2s'],
  [59_999, '1m'],
  [200_000, '3m 20s'],
  [7_500_000, '2h 5m'],
  [273_600_000, '3d 4h'],
])('%d ms read as %s', (ms, text) => {
  expect(formatDurationMs(ms)).toBe(text);
});
