/** The matrix: every failpoint with everything that can happen there. */
import { type Failpoint, failpoints } from '../../lib/failpoint-names.ts';
import type { FailAction } from '../../lib/failpoints.ts';
import { type Point, points } from './points.ts';

export interface Cell extends Point {
  readonly name: Failpoint;
  readonly action: FailAction;
}

const everywhere: readonly FailAction[] = ['kill', 'stop', 'throw'];

export const allCells: readonly Cell[] = (Object.keys(failpoints) as Failpoint[]).flatMap((name) =>
  [...everywhere, ...points[name].errors].map((action) => ({ ...points[name], name, action })),
);

export function cellName({ name, action }: Cell): string {
  return `${name}=${action}`;
}

/** Of `NAME=ACTION`; or of `NAME`, or `=ACTION`, all cells of a point, or of a fault. Throws for what is none. */
export function findCells(text: string): readonly Cell[] {
  const [name = '', action] = text.split('=');
  const found = allCells.filter(
    (cell) => (name || cell.name) === cell.name && (action ?? cell.action) === cell.action,
  );
  if (found.length > 0) return found;
  throw new Error(`there is no cell ${text}; NAME=ACTION, NAME or =ACTION, as in lib/failpoint-names.ts`);
}
