/** Sizes and durations as people write and read them: `64MiB`, `1GB`, `500ms`, `10m`. */
import { MillraceError } from './errors.ts';

const sizeUnits: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
};

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 };

/** Bytes of `64MiB`, `1GB`, `512k` (binary), `1000`. `what` names the setting in the error. Throws `invalid-argument`. */
export function parseBytes(text: string, what: string): number {
  return parseQuantity(text, what, sizeUnits, 'a size such as 500000, 512KiB, 64MiB or 1GB');
}

/** Milliseconds of `500ms`, `10s`, `5m`, `1h`, `1.5h`. `what` names the setting in the error. Throws `invalid-argument`. */
export function parseDurationMs(text: string, what: string): number {
  return parseQuantity(text, what, durationUnits, 'a duration such as 500ms, 10s, 5m or 1h');
}

function parseQuantity(
  text: string,
  what: string,
  units: Readonly<Record<string, number>>,
  accepted: string,
): number {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text.trim());
  const unit = match?.[2]?.toLowerCase() ?? '';
  const value = match && Object.hasOwn(units, unit) ? Math.round(Number(match[1]) * units[unit]!) : undefined;
  if (value !== undefined && Number.isSafeInteger(value)) return value;
  throw new MillraceError('invalid-argument', `${what}: expected ${accepted}, got ${JSON.stringify(text)}`);
}

/** `512 B`, `1.2 GiB`, `64 MiB`. */
export function formatBytes(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  // 1023.95 would be rounded to 1024.0, which the next unit says better.
  while (Math.abs(value) >= 1023.95 && unit < names.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toFixed(1))} ${names[unit]}`;
}

/** `350ms`, `4.2s`, `3m 20s`, `2h 5m`, `3d 4h`. */
export function formatDurationMs(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)}ms`;
  const seconds = ms / 1000;
  if (seconds < 59.95) return `${Number(seconds.toFixed(1))}s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return twoUnits(whole, 60, 'm', 1, 's');
  if (whole < 86400) return twoUnits(whole, 3600, 'h', 60, 'm');
  return twoUnits(whole, 86400, 'd', 3600, 'h');
}

function twoUnits(seconds: number, big: number, bigName: string, small: number, smallName: string): string {
  const rest = Math.floor((seconds % big) / small);
  return `${Math.floor(seconds / big)}${bigName}${rest === 0 ? '' : ` ${rest}${smallName}`}`;
}
