/** For the time of one simulation, what this process draws at random and measures of itself is the same in every run of a seed. */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { thisProcess } from '../../lib/process-id.ts';
import { Random } from '../core/fake-cluster.ts';

/** PKCS #8 up to the secret bytes. */
const privateKeyHead = Buffer.from('302e020100300506032b657004220420', 'hex');
const pid = 4_242;
const rssBytes = 128 * 1024 * 1024;
const memoryBytes = 1024 * rssBytes;

/** Returns what makes chance chance again. */
export function steadyProcess(seed: number): () => void {
  const steady = new Random(seed);
  const hex = (digits: number) =>
    Array.from({ length: digits }, () => steady.below(16).toString(16)).join('');
  const keyPairs = () => makeKeyPair(Uint8Array.from({ length: 32 }, () => steady.below(256)));
  const undos = [
    replace(Math, 'random', () => steady.next()),
    replace(crypto, 'randomUUID', () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`),
    replacePid(),
    replace(thisProcess as { pid: number }, 'pid', pid),
    replace(globalThis, 'setImmediate', atOnce as typeof setImmediate),
    replace(os, 'hostname', () => 'host'),
    replace(os, 'totalmem', () => memoryBytes),
    replace(process, 'cpuUsage', () => ({ user: 0, system: 0 })),
    replace(process, 'constrainedMemory', () => memoryBytes),
    replace(crypto, 'generateKeyPairSync', keyPairs as unknown as typeof crypto.generateKeyPairSync),
    replace(process.memoryUsage, 'rss', () => rssBytes),
  ];
  // For those who import them by name.
  syncBuiltinESMExports();
  return () => {
    for (const undo of undos) undo();
    syncBuiltinESMExports();
  };
}

/** Ed25519, of 32 secret bytes. */
function makeKeyPair(secret: Uint8Array) {
  const der = Buffer.concat([privateKeyHead, secret]);
  const privateKey = crypto.createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { privateKey, publicKey: crypto.createPublicKey(privateKey) };
}

/** Who lets others come first waits for nothing real. */
function atOnce(run: () => void): void {
  process.nextTick(run);
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
