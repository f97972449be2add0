/** What a coordinator has while it leads: real ports wired to the loop; no decisions. */

import { failpoint } from '../lib/failpoints.ts';
import { attemptKey, type JobId } from '../lib/ids.ts';
import { diagnoseJobId, TicketIssuer } from '../lib/security/ticket.ts';
import { probeStore } from '../lib/store/probe.ts';
import type { Stores } from '../lib/store/resolve.ts';
import type { CoordinatorConfig } from './config.ts';
import { assertInvariants } from './core/invariants.ts';
import { snapshotRecords } from './core/snapshot.ts';
import { type CoreState, createState } from './core/state.ts';
import { step } from './core/step.ts';
import { listJobs, viewCluster, viewJob } from './core/view.ts';
import { Diagnoser } from './diagnose.ts';
import { JobEventLog } from './job-event-log.ts';
import { JobLogs } from './job-logs.ts';
import { JobWatchers } from './job-watchers.ts';
import type { StoreJournal } from './journal.ts';
import { type Happening, Loop, type LoopPorts } from './loop.ts';
import type { Metrics } from './metrics/metrics.ts';
import { type PerformPorts, perform } from './perform.ts';
import { CopyRemover } from './remove-copies.ts';
import { restoreOutputs } from './restore-outputs.ts';
import { ClientService } from './rpc/client-service.ts';
import { doctorHandlers } from './rpc/doctor-service.ts';
import { type OperatorPorts, operatorHandlers } from './rpc/operator-service.ts';
import type { RpcHandlers } from './rpc/server.ts';
import { WorkerService } from './rpc/worker-service.ts';
import { startTicking } from './start-ticking.ts';
import { startStatusLog } from './status-log.ts';
import { submitJob } from './submit-job.ts';

export interface LeadPorts {
  readonly stores: Stores;
  /** For what nobody waits for: to give up early would cost a job. */
  readonly patientStores: Stores;
  readonly metrics: Metrics | undefined;
  /** For the simulation, which stands between the loop and what it drives. */
  readonly wrapLoop?: (ports: LoopPorts, state: CoreState) => LoopPorts;
}

export interface Lead {
  readonly handlers: RpcHandlers;
  view: OperatorPorts['view'];
  dispatch(happening: Happening): void;
  /** Rejects when the journal or the core fails, or with what {@link stop} was given: nothing more is decided. */
  readonly failed: Promise<never>;
  stop(error: unknown): void;
  close(): Promise<void>;
}

/** Resolves when what earlier coordinators left is taken up: from then on it can be asked. */
export async function startLead(
  config: CoordinatorConfig,
  ports: LeadPorts,
  journal: StoreJournal,
): Promise<Lead> {
  const { loop, handlers, operator, workers, eventLog, copies, state, failed, fail } = wire(
    config,
    ports,
    journal,
  );
  failed.catch((error) => config.log.error({ error: String(error) }, 'the coordinator stopped leading'));
  failpoint('lead.replay-before');
  loop.dispatch({ type: 'journal-replayed', records: journal.takeReplayed() });
  await Promise.race([loop.idle(), failed]);
  failpoint('lead.replay-after');
  // Whoever led before may not have come to that.
  for (const { phase, spec } of state.jobs.values()) if (phase.name === 'ended') copies.ended(spec);
  const stopTicking = startTicking(config, loop);
  const stopStatusLog = startStatusLog({ ...config, view: operator.view });
  return {
    handlers,
    view: operator.view,
    dispatch: operator.dispatch,
    failed,
    stop(error) {
      loop.stop();
      fail(error);
    },
    async close() {
      stopTicking();
      stopStatusLog();
      workers.endAll();
      await loop.idle();
      loop.stop();
      await journal.close();
      await Promise.all([eventLog.close(), copies.close()]);
    },
  };
}

function wire(
  config: CoordinatorConfig,
  { stores, patientStores, metrics, wrapLoop = (ports) => ports }: LeadPorts,
  journal: StoreJournal,
) {
  const { clock, log, storeUri, heartbeatIntervalMs } = config;
  const { epoch } = journal;
  const watchers = new JobWatchers();
  const jobLogs = new JobLogs((jobId) => state.jobs.has(jobId));
  const outputsInUse = new Set<string>();
  const dispatch = (happening: Happening) => loop.dispatch(happening);
  const settled = () => loop.settled();
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
  const specOf = (jobId: JobId) => state.jobs.get(jobId)?.spec;
  const copies = new CopyRemover({ clock, log, stores: patientStores, specOf });
  const state = stateOf(config, epoch);
  const effects: PerformPorts = {
    log,
    stores: patientStores,
    watchers,
    outputsInUse,
    commitsBegun: new Set(),
    confirmLead: () => journal.confirmLead(),
    dispatch,
    sendToWorker: workers.send.bind(workers),
    onJobEvent: (event) => {
      eventLog.record(event);
      metrics?.jobs.count(event);
      copies.happened(event);
    },
    onWorkerLost: (reason) => metrics?.workerLosses.count(reason),
  };
  const failed = Promise.withResolvers<never>();
  const loop = new Loop(wrapLoop(loopPorts(config, journal, state, effects, failed.reject), state));
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
  const diagnoser = diagnoserOf({ ...config, epoch }, stores, operator, workers, tickets);
  const handlers: RpcHandlers = {
    client: clients.handlers,
    worker: workers.handlers,
    doctor: doctorHandlers(diagnoser),
    operator: operatorHandlers(operator),
  };
  const { promise, reject: fail } = failed;
  return { loop, handlers, operator, workers, eventLog, copies, state, failed: promise, fail };
}

function diagnoserOf(
  { clock, storeUri, epoch }: CoordinatorConfig & { readonly epoch: number },
  stores: Stores,
  operator: OperatorPorts,
  workers: WorkerService,
  tickets: TicketIssuer,
): Diagnoser {
  return new Diagnoser({
    ...{ clock, stores, storeUri, probeStore, epoch },
    workers: () => operator.view().workers,
    send: workers.diagnose.bind(workers),
    pingTicket: () => tickets.ticketOf(diagnoseJobId),
  });
}

function stateOf({ heartbeatTimeoutMs, backupMinRuntimeMs }: CoordinatorConfig, epoch: number): CoreState {
  return createState({
    epoch,
    heartbeatTimeoutMs,
    ...(backupMinRuntimeMs !== undefined && { backupMinRuntimeMs }),
  });
}

function loopPorts(
  config: CoordinatorConfig,
  journal: StoreJournal,
  state: CoreState,
  effects: PerformPorts,
  onFatal: (error: unknown) => void,
): LoopPorts {
  return {
    clock: config.clock,
    journal,
    step(event) {
      const result = step(state, event);
      if (event.type === 'journal-replayed') restoreOutputs(state, event.records, effects);
      if (config.checkInvariants) assertInvariants(state);
      return result;
    },
    perform: (effect) => perform(effect, effects),
    committed() {
      if (journal.isSnapshotDue) journal.snapshot(snapshotRecords(state));
    },
    onFatal,
  };
}
