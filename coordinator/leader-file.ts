/** `leader.json` in the store: who leads, and that it still does. It tells others when to try; who may decide is the journal's business. */
import { MillraceError } from '../lib/errors.ts';
import { collectBytes } from '../lib/iterables.ts';
import { isProcessId, type ProcessId } from '../lib/process-id.ts';
import type { StoreLocation } from '../lib/store/store.ts';

export interface Leader extends ProcessId {
  readonly version: 1;
  readonly epoch: number;
  /** Of the start that leads; the same as in its entries of the journal. */
  readonly nonce: string;
  /** Grows with each writing: a file that changes is that of a leader that lives. */
  readonly counter: number;
  /** HOST:PORT for clients and workers. */
  readonly grpc: string;
  /** HOST:PORT; null without an HTTP port. */
  readonly http: string | null;
  /** It stopped in order: nobody needs to wait. */
  readonly isOver: boolean;
}

const leaderBytesMax = 16 * 1024;

/** Undefined when there is none, or a file of somebody else: nothing rests on it. Throws what the store throws. */
export async function readLeader({ store, key }: StoreLocation): Promise<Leader | undefined> {
  try {
    return parseLeader(await collectBytes(store.read(`${key}leader.json`, { end: leaderBytesMax })));
  } catch (thrown) {
    const error = MillraceError.from(thrown, 'store-failed');
    if (error.code === 'not-found') return undefined;
    throw error;
  }
}

export async function writeLeader({ store, key }: StoreLocation, leader: Leader): Promise<void> {
  await store.put(`${key}leader.json`, Buffer.from(`${JSON.stringify(leader, null, 2)}\n`));
}

function parseLeader(bytes: Buffer): Leader | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    // Somebody else's, or none: the next leader overwrites it.
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !isProcessId(value)) return undefined;
  const { version, epoch, nonce, counter, grpc, isOver } = value as Partial<Leader> & ProcessId;
  const isWhole =
    version === 1 &&
    Number.isSafeInteger(epoch) &&
    Number.isSafeInteger(counter) &&
    typeof nonce === 'string' &&
    typeof grpc === 'string' &&
    typeof isOver === 'boolean';
  return isWhole ? (value as Leader) : undefined;
}
