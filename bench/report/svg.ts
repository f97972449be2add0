/** Plots as SVG, coloured by the style sheet of the page, so that they are right in light and dark. */
import type { Series, Unit } from '../result.ts';
import { summary } from '../statistics.ts';
import { formatValue } from './values.ts';

const width = 960;
const labelWidth = 210;
/** Of the column at the right, with what was measured in words. */
const valueWidth = 230;
const rowHeight = 26;
const axisHeight = 30;
const lineHeight = 260;
const margin = 50;

export interface PlotRow {
  readonly label: string;
  readonly samples: readonly number[];
  /** What is written at its end. */
  readonly text: string;
  /** Drawn in the colour of ours. */
  readonly isOurs: boolean;
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

const number = (value: number) => String(Math.round(value * 10) / 10);

function element(name: string, attributes: Readonly<Record<string, string | number>>, content = ''): string {
  const text = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`);
  return `<${name}${text.join('')}>${content}</${name}>`;
}

function label(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end'): string {
  return element('text', { x: number(x), y: number(y), 'text-anchor': anchor }, escapeXml(text));
}

function frame(height: number, title: string, content: readonly string[]): string {
  const attributes = {
    viewBox: `0 0 ${width} ${number(height)}`,
    role: 'img',
    xmlns: 'http://www.w3.org/2000/svg',
  };
  return element('svg', attributes, element('title', {}, escapeXml(title)) + content.join(''));
}

/** Steps of 1, 2 or 5 times a power of ten, four to ten of them up to `most`. */
export function ticks(most: number): number[] {
  if (!(most > 0)) return [0];
  const power = 10 ** Math.floor(Math.log10(most / 4));
  const step = power * ([1, 2, 5].find((times) => most / (power * times) <= 8) ?? 10);
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, index) =>
    Number((index * step).toPrecision(6)),
  );
}

/** A row for each subject: a bar to the median, a line over the spread, and a dot for every sample, which are of `unit`. */
export function samplePlot(title: string, rows: readonly PlotRow[], unit: Unit): string {
  const most = Math.max(...rows.flatMap(({ samples }) => samples));
  const plotWidth = width - labelWidth - valueWidth;
  const x = (value: number) => labelWidth + (most > 0 ? value / most : 0) * plotWidth;
  const height = rows.length * rowHeight + axisHeight;
  const grid = ticks(most).flatMap((value) => [
    element('line', {
      class: 'grid',
      x1: number(x(value)),
      x2: number(x(value)),
      y1: 0,
      y2: height - axisHeight,
    }),
    label(x(value), height - 10, formatValue(value, unit), 'middle'),
  ]);
  const drawn = rows.flatMap(({ label: name, samples, text, isOurs }, index) => {
    const y = (index + 0.5) * rowHeight;
    const { median, min, max } = summary(samples);
    const colour = isOurs ? 'ours' : 'theirs';
    const bar = { x: labelWidth, y: y - 7, width: number(x(median) - labelWidth), height: 14 };
    return [
      label(labelWidth - 8, y + 4, name, 'end'),
      element('rect', { class: `bar ${colour}`, ...bar }),
      element('line', { class: 'spread', x1: number(x(min)), x2: number(x(max)), y1: y, y2: y }),
      ...samples.map((value) => element('circle', { class: 'sample', cx: number(x(value)), cy: y, r: 3 })),
      label(width - valueWidth + 16, y + 4, text, 'start'),
    ];
  });
  return frame(height, title, [...grid, ...drawn]);
}

/** Lines over a common axis, with their names at the top. */
export function linePlot(title: string, series: readonly Series[]): string {
  const points = series.flatMap((each) => each.points);
  const mostX = Math.max(...points.map(([x]) => x), 0);
  const mostY = Math.max(...points.map(([, y]) => y), 0);
  const right = width - margin;
  const bottom = lineHeight - axisHeight - 10;
  const x = (value: number) => margin + (mostX > 0 ? value / mostX : 0) * (right - margin);
  const y = (value: number) => bottom - (mostY > 0 ? value / mostY : 0) * (bottom - 30);
  const grid = [
    ...ticks(mostY).flatMap((value) => [
      element('line', { class: 'grid', x1: margin, x2: right, y1: number(y(value)), y2: number(y(value)) }),
      label(margin - 6, y(value) + 4, value.toLocaleString('en-US'), 'end'),
    ]),
    ...ticks(mostX).map((value) => label(x(value), bottom + 16, value.toLocaleString('en-US'), 'middle')),
    label(right, lineHeight - 4, series[0]?.xUnit ?? '', 'end'),
    label(4, 14, series[0]?.yUnit ?? '', 'start'),
  ];
  const drawn = series.flatMap((each, index) => {
    const colour = `line-${index % 6}`;
    const path = each.points.map(([px, py]) => `${number(x(px))},${number(y(py))}`).join(' ');
    const left = margin + 60 + index * 140;
    return [
      element('polyline', { class: `curve ${colour}`, points: path }),
      ...each.points.map(([px, py]) =>
        element('circle', { class: `point ${colour}`, cx: number(x(px)), cy: number(y(py)), r: 2 }),
      ),
      element('rect', { class: `key ${colour}`, x: left, y: 6, width: 10, height: 10 }),
      label(left + 14, 15, each.name, 'start'),
    ];
  });
  return frame(lineHeight, title, [...grid, ...drawn]);
}
