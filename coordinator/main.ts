/** Composition root: real ports wired to the loop; no decisions. */
import { attemptKey, type JobId } from '../lib/ids.ts';
import { limits } from '../lib/limits.ts';
import { requireFree } from '../lib/require-free.ts';
import { diagnoseJobId, TicketIssuer } from '../lib/security/ticket.ts';
import { probeStore } from '../lib/store/probe.ts';
import { createStores, type Stores } from '../lib/store/resolve.ts';
import type { OnS3Request } from '../lib/store/s3/s3-connection.ts';
import { softwareVersion } from '../lib/version.ts';
import { type CoordinatorConfig, type CoordinatorOptions, compileConfig } from './config.ts';
import { assertInvariants } from './core/invariants.ts';
import { type CoreState, createState } from './core/state.ts';
import { step } from './core/step.ts';
import { listJobs, viewCluster, viewJob } from './core/view.ts';
import { Diagnoser } from './diagnose.ts';
import { JobEventLog } from './job-event-log.ts';
import { JobLogs } from './job-logs.ts';
import { JobWatchers } from './job-watchers.ts';
import type { Journal } from './journal.ts';
import { type Happening, Loop } from './loop.ts';
import type { Metrics } from './metrics/metrics.ts';
import { type PerformPorts, perform } from './perform.ts';
import { ClientService } from './rpc/client-service.ts';
import { doctorHandlers } from './rpc/doctor-service.ts';
import { type OperatorPorts, operatorHandlers } from './rpc/operator-service.ts';
import { startRpcServer } from './rpc/server.ts';
import { WorkerService } from './rpc/worker-service.ts';
import { serveHttp } from './serve-http.ts';
import { startStatusLog } from './status-log.ts';
import { submitJob } from './submit-job.ts';
import { takeLead } from './take-lead.ts';

export interface RunningCoordinator extends AsyncDisposable {
  /** HOST:PORT of the gRPC port, as bound. */
  readonly address: string;
  readonly httpAddress: string | undefined;
  readonly epoch: number;
  /** Rejects when the journal or the core fails: the coordinator then leads no more. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

/** Throws `permission-denied` for an address beyond loopback without credentials, `unavailable` when it is taken. */
export async function startCoordinator(options: CoordinatorOptions): Promise<RunningCoordinator> {
  const config = compileConfig(options);
  // Loaded only where somebody can ask for them.
  const metrics = config.http && new (await import('./metrics/metrics.ts')).Metrics(softwareVersion());
  const counted = metrics && {
    onRequest: (...request: Parameters<OnS3Request>) => metrics.storeRequests.count(...request),
  };
  const stores = createStores(counted);
  // Nobody waits for what a job does by itself, and to give up early would cost the job.
  const patientStores = createStores({ ...counted, patienceMs: limits.s3PatienceMs });
  const location = stores.locate(config.storeUri);
  // A start that fails must not have ended the lead of another one.
  await requireFree(config.listen, '--listen');
  if (config.http) await requireFree(config.http, '--http');
  const journal = await takeLead(location, config);
  const { loop, clients, operator, workers, diagnoser, eventLog, failed } = wire(
    config,
    { stores, patientStores },
    journal,
    metrics,
  );
  const probes = config.http !== undefined;
  const rpc = await startRpcServer(
    { ...config, probes },
    {
      client: clients.handlers,
      worker: workers.handlers,
      doctor: doctorHandlers(diagnoser),
      operator: operatorHandlers(operator),
    },
  );
  const { view } = operator;
  const http =
    config.http && metrics && (await serveHttp(config.http, { ...config, location, failed, metrics, view }));
  rpc.health.setServing(true);
  failed.catch(() => rpc.health.setServing(false));
  const stopTicking = startTicking(config, loop);
  const stopStatusLog = startStatusLog({ ...config, view: operator.view });
  const { epoch } = journal;
  config.log.info({ address: rpc.address, epoch, store: config.storeUri }, 'the coordinator is up');

  const close = async () => {
    stopTicking();
    stopStatusLog();
    rpc.health.setServing(false);
    workers.endAll();
    await rpc[Symbol.asyncDispose]();
    await http?.[Symbol.asyncDispose]();
    await loop.idle();
    loop.stop();
    await eventLog.close();
  };
  const { address } = rpc;
  return { address, httpAddress: http?.address, epoch, failed, close, [Symbol.asyncDispose]: close };
}

interface Wired {
  readonly loop: Loop;
  readonly clients: ClientService;
  readonly operator: OperatorPorts;
  readonly workers: WorkerService;
  readonly diagnoser: Diagnoser;
  readonly eventLog: JobEventLog;
  readonly failed: Promise<never>;
}

function wire(
  config: CoordinatorConfig,
  { stores, patientStores }: { readonly stores: Stores; readonly patientStores: Stores },
  journal: Journal,
  metrics: Metrics | undefined,
): Wired {
  const { clock, log, storeUri, heartbeatIntervalMs } = config;
  const { epoch } = journal;
  const watchers = new JobWatchers();
  const jobLogs = new JobLogs((jobId) => state.jobs.has(jobId));
  const outputsInUse = new Set<string>();
  const dispatch = (happening: Happening) => loop.dispatch(happening);
  const tickets = new TicketIssuer(clock, epoch);
  const workers = new WorkerService({
    clock,
    log,
    jobLogs,
    dispatch,
    settings: { epoch, heartbeatIntervalMs, tickets },
    runs: (workerId, attempt) => state.workers.get(workerId)?.attempts.has(attemptKey(attempt)) ?? false,
    onDiagnosis: (workerId, answer) => diagnoser.answered(workerId, answer),
  });
  const view = (jobId: JobId) => viewJob(state, jobId);
  const eventLog = new JobEventLog({ clock, log, stores, storeUri, view });
  const state = stateOf(config, epoch);
  const effects: PerformPorts = {
    log,
    stores: patientStores,
    watchers,
    outputsInUse,
    commitsBegun: new Set(),
    dispatch,
    sendToWorker: workers.send.bind(workers),
    onJobEvent: (event) => {
      eventLog.record(event);
      metrics?.jobs.count(event);
    },
    onWorkerLost: (reason) => metrics?.workerLosses.count(reason),
  };
  const failed = Promise.withResolvers<never>();
  failed.promise.catch((error) => log.error({ error: String(error) }, 'the coordinator stopped leading'));
  const loop = loopOf(config, journal, state, effects, failed.reject);
  const settled = () => loop.settled();
  const clients = new ClientService({
    clock,
    jobLogs,
    watchers,
    dispatch,
    async submit(submission) {
      const jobId = await submitJob(submission, { ...config, stores, outputsInUse, dispatch });
      await settled();
      return jobId;
    },
    settled,
    view,
    list: (limit) => listJobs(state, limit),
  });
  const operator: OperatorPorts = { view: () => viewCluster(state), dispatch, settled };
  const diagnoser: Diagnoser = new Diagnoser({
    clock,
    stores,
    storeUri,
    probeStore,
    workers: () => operator.view().workers,
    send: workers.diagnose.bind(workers),
    pingTicket: () => tickets.ticketOf(diagnoseJobId),
  });
  return { loop, clients, operator, workers, diagnoser, eventLog, failed: failed.promise };
}

function stateOf({ heartbeatTimeoutMs, backupMinRuntimeMs }: CoordinatorConfig, epoch: number): CoreState {
  return createState({
    epoch,
    heartbeatTimeoutMs,
    ...(backupMinRuntimeMs !== undefined && { backupMinRuntimeMs }),
  });
}

function loopOf(
  config: CoordinatorConfig,
  journal: Journal,
  state: CoreState,
  effects: PerformPorts,
  onFatal: (error: unknown) => void,
): Loop {
  return new Loop({
    clock: config.clock,
    journal,
    step(event) {
      const result = step(state, event);
      if (config.checkInvariants) assertInvariants(state);
      return result;
    },
    perform: (effect) => perform(effect, effects),
    onFatal,
  });
}

/**
 * A tick that comes far too late means that this process stood still: what workers sent meanwhile is still in the sockets, and to
 * judge their leases before reading it would lose them all. The next tick will do.
 */
function startTicking(
  { clock, tickIntervalMs, heartbeatTimeoutMs }: CoordinatorConfig,
  loop: Loop,
): () => void {
  let dueMs = clock.monotonicMs() + tickIntervalMs;
  let cancel = clock.after(tickIntervalMs, tick);
  function tick() {
    const lateMs = clock.monotonicMs() - dueMs;
    if (lateMs < heartbeatTimeoutMs / 2) loop.dispatch({ type: 'tick' });
    dueMs = clock.monotonicMs() + tickIntervalMs;
    cancel = clock.after(tickIntervalMs, tick);
  }
  return () => cancel();
}
