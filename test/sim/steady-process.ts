/** For the time of one simulation, what this process draws at random and measures of itself is the same in every run of a seed. */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { thisProcess } from '../../lib/process-id.ts';
import { Random } from '../core/fake-cluster.ts';

const pid = 4_242;
const rssBytes = 128 * 1024 * 1024;
const memoryBytes = 1024 * rssBytes;

/** Returns what makes chance chance again. */
export function steadyProcess(seed: number): () => void {
  const steady = new Random(seed);
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => steady.below(16).toString(16)).join('');
  const undos = [
    replace(Math, 'random', () => steady.next()),
    replace(crypto, 'randomUUID', () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`),
    replacePid(),
    replace(thisProcess as { pid: number }, 'pid', pid),
    replace(process, 'cpuUsage', () => ({ user: 0, system: 0 })),
    replace(process, 'constrainedMemory', () => memoryBytes),
    replace(process.memoryUsage, 'rss', () => rssBytes),
  ];
  // For those who import them by name.
  syncBuiltinESMExports();
  return () => {
    for (const undo of undos) undo();
    syncBuiltinESMExports();
  };
}

/** Journals and errors name it. */
function replacePid(): () => void {
  const original = Object.getOwnPropertyDescriptor(process, 'pid')!;
  Object.defineProperty(process, 'pid', { ...original, value: pid });
  return () => Object.defineProperty(process, 'pid', original);
}

function replace<T extends object, K extends keyof T>(target: T, name: K, by: T[K]): () => void {
  const original = target[name];
  target[name] = by;
  return () => {
    target[name] = original;
  };
}
