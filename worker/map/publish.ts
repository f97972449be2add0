/** The output of a map-only job: pairs go straight to a part, as `[key, value]` records. */
import type { StagedPart } from '../../lib/job-spec.ts';
import { openPart } from '../reduce/write-output.ts';
import type { MapTaskOptions } from './map-task.ts';
import type { PairSink } from './run-mapper.ts';

export interface MapPart extends PairSink {
  finish(): Promise<StagedPart>;
  abort(): Promise<void>;
}

/** Opens `part-m-NNNNN`, invisible until the coordinator publishes it. */
export async function openMapPart(options: MapTaskOptions): Promise<MapPart> {
  const part = await openPart({ ...options, kind: 'map', index: options.attempt.index });
  let full: Promise<void> | undefined;
  return {
    emit(key, value) {
      full = part.write([key, value]) ?? full;
    },
    drain() {
      const waiting = full;
      full = undefined;
      return waiting;
    },
    finish: () => part.finish(),
    abort: () => part.abort(),
  };
}
