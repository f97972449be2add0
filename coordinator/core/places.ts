/**
 * The live workers that have room for a task, kept as attempts come and go: a step in which one worker becomes free does not have to ask all of
 * them. Whether one may be given anything now (isOpen) changes with time alone, too, and is asked when a task is to be given out.
 */
import { hasPlace, type Lane } from './choose-worker.ts';
import type { CoreState, Worker } from './state.ts';

const lanes: readonly Lane[] = ['cpu', 'fetch'];

/** To be called whenever what it holds, its slots, or whether it is there has changed. */
export function updatePlaces(state: CoreState, worker: Worker): void {
  const isLive = state.workers.get(worker.id) === worker;
  for (const lane of lanes) {
    if (isLive && hasPlace(worker, lane)) state.withPlace[lane].add(worker);
    else state.withPlace[lane].delete(worker);
  }
}
