/** What a cell may leave: the right output or none, and nothing half-done anywhere. */
import { isDeepStrictEqual } from 'node:util';
import { badPartName, partName, successName } from '../../lib/formats.ts';
import type { Place } from './places.ts';
import type { Scenario } from './scenarios.ts';

/** By name of the part. */
export type Parts = Readonly<Record<string, string>>;

export async function readParts(place: Place, output: string): Promise<Parts> {
  const keys = await place.keys(`${output}`);
  const parts = keys.filter((key) => key.startsWith(`${output}part-`));
  const texts = parts.map(async (key) => [key.slice(output.length), await place.text(key)] as const);
  return Object.fromEntries(await Promise.all(texts));
}

/** What is wrong with a committed output: each difference in a sentence. `oracle`: the bytes of an undisturbed run; without it only the records count. */
export async function wrongOutput(
  place: Place,
  output: string,
  { records, counters }: Scenario,
  oracle?: Parts,
): Promise<string[]> {
  const parts = await readParts(place, output);
  const lines = Object.values(parts).flatMap((text) => text.split('\n').filter(Boolean));
  const success = JSON.parse(await place.text(`${output}${successName}`)) as { counters: object };
  const wrong: string[] = [];
  if (lines.toSorted().join('\n') !== records.join('\n')) wrong.push('the records are not the right ones');
  if (oracle && !isDeepStrictEqual(parts, oracle))
    wrong.push('the bytes are not those of an undisturbed run');
  if (!isDeepStrictEqual(success.counters, counters)) {
    wrong.push(`the counters are ${JSON.stringify(success.counters)}, not ${JSON.stringify(counters)}`);
  }
  return wrong;
}

/** Names below an output under which its job may have staged something. */
export function stagedNames({ maps, reducers }: Scenario): string[] {
  return [
    ...Array.from({ length: reducers }, (_, i) => partName('reduce', i)),
    ...Array.from({ length: maps }, (_, i) => badPartName(i)),
    successName,
  ];
}
