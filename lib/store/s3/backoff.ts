/** How long to wait before something is tried again: longer each time, and not the same for everybody. */
import { setTimeout as sleep } from 'node:timers/promises';

const firstMsMax = 100;
const msMax = 5_000;

/** After so many failures in a row, from 1. */
export function backOffMs(failures: number): number {
  const ceilingMs = Math.min(msMax, firstMsMax * 2 ** (failures - 1));
  return ceilingMs * (0.5 + Math.random() / 2);
}

/** Rejects with an AbortError when the signal aborts. */
export async function backOff(failures: number, signal?: AbortSignal): Promise<void> {
  await sleep(backOffMs(failures), undefined, signal ? { signal } : {});
}
