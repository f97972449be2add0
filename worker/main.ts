/** Composition root of a worker: session, attempts, slots and the fetch server, wired together. */
import { createHash, randomBytes } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { resolve } from 'node:path';
import { type Address, advertisedAddress, parseAddress, parseAddresses } from '../lib/address.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { MillraceError } from '../lib/errors.ts';
import { warnOfFailpoints } from '../lib/failpoints.ts';
import { toWorkerId, type WorkerId } from '../lib/ids.ts';
import { checkLimit, limits } from '../lib/limits.ts';
import { createLog, type Log } from '../lib/log.ts';
import {
  type CredentialOptions,
  type Credentials,
  compileCredentials,
  credentialsToWorker,
} from '../lib/security/credentials.ts';
import { checkExposure } from '../lib/security/exposure.ts';
import { TicketKeys } from '../lib/security/ticket.ts';
import { tlsSettings } from '../lib/security/tls.ts';
import { createStores } from '../lib/store/resolve.ts';
import { environmentS3Access } from '../lib/store/s3/s3-access.ts';
import { softwareVersion } from '../lib/version.ts';
import { collectBuffersEarly } from './collect-buffers-early.ts';
import { Attempts } from './control/attempts.ts';
import { diagnose } from './control/diagnose.ts';
import { ScratchBudget } from './control/scratch-budget.ts';
import { serveShuffle } from './control/serve-shuffle.ts';
import { Session } from './control/session.ts';
import { type RunningWorker, runningWorker } from './running-worker.ts';
import { PeerChannels } from './shuffle/fetch.ts';
import { MapOutputs } from './shuffle/outputs.ts';
import { cleanEnv } from './user/clean-env.ts';
import { SlotPool } from './user/slot-pool.ts';

export type { RunningWorker } from './running-worker.ts';

export interface WorkerOptions {
  /** HOST:PORT, or several with commas: one of them leads, the others stand by. What else the worker needs is started while it is awaited. */
  readonly coordinator: string | Promise<string>;
  /** Tasks at once; default: the cores. */
  readonly slots?: number;
  /** Local folder for map outputs and other files that live as long as the worker. */
  readonly scratchDir: string;
  /** HOST:PORT for other workers to fetch from; default `127.0.0.1:0`, any free port. */
  readonly listen?: string;
  /** HOST:PORT, or HOST for the port bound, that other workers are told; default the bound one, or this host's name when that is all interfaces. */
  readonly advertise?: string;
  /** What it shows the coordinator, and other workers; nothing, the default, is for loopback only. */
  readonly credentials?: CredentialOptions;
  /** For tests: the process exits hard with code 1 once the reports of so many finished tasks have been answered. */
  readonly failAfter?: number;
  /** What the scratch folder may hold at once; default: what its disk has free, less a reserve. */
  readonly scratchBytesMax?: number;
  /** JavaScript heap of each slot. */
  readonly slotMemoryBytes?: number;
  /** Gives up when no coordinator answers for so long after the start; 0, the default, tries for ever. */
  readonly joinTimeoutMs?: number;
  /** It ends after one job: no threads are kept ready for another; default false. */
  readonly oneJob?: boolean;
  /** Whether the health service is served beside fetches; default true. */
  readonly probes?: boolean;
  readonly clock?: Clock;
  readonly log?: Log;
}

/**
 * Throws `permission-denied` for a scratch folder that cannot be written or an address beyond loopback without credentials, `unavailable` for one that is
 * taken, `limit-exceeded` and `invalid-argument` for other options. Does not wait for the coordinator.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { clock, log, slots, listen, credentials } = compileOptions(options);
  const { scratchDir: directory, scratchBytesMax: limitBytes } = options;
  const budget = await ScratchBudget.open({ directory, limitBytes, clock });
  const stores = createStores({ patienceMs: limits.s3PatienceMs });
  const outputs = new MapOutputs();
  const openChannels = () => new PeerChannels(credentialsToWorker(credentials));
  const channels = openChannels();
  const ticketKeys = new TicketKeys(clock);
  const pool = startPool(options, slots, clock);
  const attempts: Attempts = new Attempts({
    clock,
    log,
    slots,
    pool,
    outputs,
    channels,
    ticketKeys,
    stores,
    budget,
    newWorkerId,
    reports: () => session,
    onTaskDone: dieAfter(options.failAfter),
  });
  const serving = serveShuffle({
    listen,
    tls: credentials.tls,
    outputs,
    ticketKeys,
    workerId: () => attempts.workerId,
    probes: options.probes ?? true,
    clock,
    log,
  });
  const stopWork = async () => {
    const cleaned = attempts.close();
    await pool.close();
    await cleaned;
    budget.close();
    channels.close();
  };
  const [server, coordinator] = await Promise.all([serving, options.coordinator]).catch(async (error) => {
    await stopWork();
    await serving.then(
      ({ close }) => close(),
      () => undefined,
    );
    throw error;
  });
  const session: Session = new Session({
    coordinator,
    credentials,
    workerId: attempts.workerId,
    slots,
    ...whereaboutsOf(options, server.address),
    softwareVersion: softwareVersion(),
    clock,
    log,
    handlers: attempts,
    diagnose: (request) =>
      diagnose(request, { clock, stores: createStores(), host: hostname(), openChannels }),
    onServing: (isServing) => server.health.setServing(isServing),
    joinTimeoutMs: options.joinTimeoutMs ?? 0,
  });

  const stop = () => stopWork().then(() => server.close());
  return runningWorker({ session, attempts, fetchAddress: server.address, clock, log, stop });
}

function startPool({ slotMemoryBytes, oneJob }: WorkerOptions, slots: number, clock: Clock): SlotPool {
  collectBuffersEarly();
  const pool = new SlotPool({
    slots,
    memoryBytesMax: slotMemoryBytes ?? limits.slotMemoryBytesDefault,
    clock,
    env: cleanEnv(process.env),
    s3: environmentS3Access(),
    oneJob,
  });
  pool.warm();
  return pool;
}

function compileOptions(options: WorkerOptions) {
  if (typeof options.coordinator === 'string')
    parseAddresses(options.coordinator, '--coordinator (MILLRACE_COORDINATOR)');
  const listen = parseAddress(options.listen ?? '127.0.0.1:0', '--listen');
  // Before anything is bound.
  advertisedAddress(options.advertise, '127.0.0.1:1', hostname());
  const log = options.log ?? createLog('worker', 'silent');
  warnOfFailpoints(log);
  const credentials = compileCredentials(options.credentials ?? {});
  warnIfExposed(listen, credentials, log);
  return {
    clock: options.clock ?? systemClock,
    log,
    slots: checkSlots(options.slots ?? availableParallelism()),
    listen,
    credentials,
  };
}

/** Tickets guard what it serves, always; but a worker without credentials can only have joined a cluster without any. */
function warnIfExposed(listen: Address, { token, tls }: Credentials, log: Log): void {
  const encrypts = tls?.identity !== undefined;
  const protection = { authenticates: token !== undefined || encrypts, encrypts };
  const warning = checkExposure(
    listen,
    '--listen',
    protection,
    `MILLRACE_TOKEN (--token-file), or ${tlsSettings}`,
  );
  if (warning) log.warn(warning);
}

function checkSlots(slots: number): number {
  if (!Number.isInteger(slots) || slots < 1) {
    throw new MillraceError('invalid-argument', `--slots must be a whole number of at least 1, got ${slots}`);
  }
  checkLimit('--slots', slots, limits.slotsMax, 'start more workers instead');
  return slots;
}

function whereaboutsOf({ advertise, scratchDir }: WorkerOptions, bound: string) {
  const host = hostname();
  const home = createHash('sha256')
    .update(`${host} ${resolve(scratchDir)}`)
    .digest('hex');
  return { fetchAddress: advertisedAddress(advertise, bound, host), home };
}

/** The host is in it for people; the random part makes it unique. */
function newWorkerId(): WorkerId {
  const host = hostname()
    .replace(/[^A-Za-z0-9-]/g, '-')
    .slice(0, 40);
  return toWorkerId(`${host}-${randomBytes(5).toString('hex')}`);
}

function dieAfter(tasks: number | undefined): () => void {
  let done = 0;
  return () => {
    done++;
    if (done === tasks) process.exit(1);
  };
}
