/** A cluster of one in this process: the real coordinator and one real worker over loopback, with a temporary state folder. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noCredentials } from '../lib/security/credentials.ts';
import { fileUri } from '../lib/store/uri.ts';
import { parseBytes, parseDurationMs } from '../lib/units.ts';
import { type Client, connectWith } from './client.ts';
import type { WaitOptions } from './rpc.ts';

export interface LocalOptions extends WaitOptions {
  /** Tasks at once; default the cores. */
  readonly slots?: number | undefined;
  /** JavaScript heap of each slot: bytes, or `512MiB`. */
  readonly slotMemory?: number | string | undefined;
  /** After which a silent worker is dead: milliseconds, or `10s`. */
  readonly heartbeatTimeout?: number | string | undefined;
}

export interface LocalCluster extends AsyncDisposable {
  readonly client: Client;
  /** A folder that does not exist yet and goes away with the cluster: for output that nobody named. */
  readonly outputDir: string;
  /** Rejects when the coordinator or the worker dies of itself. */
  readonly failed: Promise<never>;
}

/** Starts it; `await using` stops it and removes its folder. */
export async function startLocal(options: LocalOptions = {}): Promise<LocalCluster> {
  const [{ startCoordinator }, { startWorker }, folder] = await Promise.all([
    import('../coordinator/main.ts'),
    import('../worker/main.ts'),
    mkdtemp(join(tmpdir(), 'millrace-run-')),
  ]);
  // Undone from the last to the first. (Node 22 has no AsyncDisposableStack.)
  const closers = [() => rm(folder, { recursive: true, force: true, maxRetries: 3 })];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const heartbeatTimeoutMs = quantity(options.heartbeatTimeout, parseDurationMs, 'heartbeatTimeout');
    const slotMemoryBytes = quantity(options.slotMemory, parseBytes, 'slotMemory (--slot-memory)');
    const starting = startCoordinator({
      listen: '127.0.0.1:0',
      storeUri: fileUri(`${folder}/store/`),
      ...(heartbeatTimeoutMs !== undefined && { heartbeatTimeoutMs }),
    });
    closers.push(() =>
      starting.then(
        (coordinator) => coordinator.close(),
        () => undefined,
      ),
    );
    const worker = await startWorker({
      coordinator: starting.then(({ address }) => address),
      scratchDir: join(folder, 'scratch'),
      probes: false,
      oneJob: true,
      ...(options.slots !== undefined && { slots: options.slots }),
      ...(slotMemoryBytes !== undefined && { slotMemoryBytes }),
    });
    closers.push(() => worker.close());
    const coordinator = await starting;
    const client = connectWith(noCredentials, coordinator.address);
    closers.push(() => client.close());
    const failed = Promise.race([
      coordinator.failed,
      worker.ended.then(() => new Promise<never>(() => undefined)),
    ]);
    failed.catch(() => undefined);
    return {
      client,
      outputDir: join(folder, 'output'),
      failed,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function quantity(
  given: number | string | undefined,
  parse: (text: string, what: string) => number,
  what: string,
): number | undefined {
  return typeof given === 'string' ? parse(given, what) : given;
}
