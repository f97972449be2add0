/** Numbers as people read them. */
import type { Figure } from '../figures.ts';
import type { Result, Unit } from '../result.ts';
import { summary } from '../statistics.ts';

/** `2.31 s`, `0.82x`, `412 MB`, `88 MB/s`, `12,300 tasks/s`, `7.6 M ops/s`. */
export function formatValue(value: number, unit: Unit | Figure['unit']): string {
  if (unit === 'bytes') return formatSize(value);
  if (unit === 'x' || unit === 'ratio') return `${digits(value)}x`;
  if (unit === 'ops/s') return `${digits(value / 1e6)} M ops/s`;
  return unit === 'count' ? digits(value) : `${digits(value)} ${unit}`;
}

function formatSize(bytes: number): string {
  if (bytes >= 1e9) return `${digits(bytes / 1e9)} GB`;
  if (bytes >= 1e6) return `${digits(bytes / 1e6)} MB`;
  return bytes >= 1e3 ? `${digits(bytes / 1e3)} kB` : `${digits(bytes)} B`;
}

/** Three significant ones, and no fewer than the whole number has. */
function digits(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

/** The median, and how far the samples are apart: `2.31 s (2.28 to 2.4)`. */
export function formatSamples({ samples, unit }: Pick<Result, 'samples' | 'unit'>): string {
  const { median, min, max } = summary(samples);
  const text = formatValue(median, unit);
  if (samples.length < 2 || min === max) return text;
  return `${text} (${digitsOf(min, unit)} to ${digitsOf(max, unit)})`;
}

const digitsOf = (value: number, unit: Unit) => formatValue(value, unit).replace(/[ x].*$/, '');
