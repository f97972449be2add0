/** The cluster as operators see it: the documented, stable shape that `millrace workers --json` prints. */

/** `lost` is not among them: a lost worker is not listed. */
export const workerStates = ['ready', 'draining', 'quarantined', 'disconnected'] as const;
export type WorkerState = (typeof workerStates)[number];

/** `silent`: no heartbeat for too long. `restarted`: on the same scratch folder, empty or not. `replaced`: another process has its id. `left`: by itself. */
export const workerLossReasons = ['silent', 'restarted', 'replaced', 'left'] as const;
export type WorkerLossReason = (typeof workerLossReasons)[number];

export interface WorkerView {
  readonly workerId: string;
  readonly state: WorkerState;
  readonly host: string;
  readonly pid: number;
  readonly softwareVersion: string;
  readonly fetchAddress: string;
  readonly slots: number;
  readonly slotsUsed: number;
  /** Reduces that fetch: they hold no slot. */
  readonly fetching: number;
  /** Tasks running here now, `m3.0` style. At most 100. */
  readonly attempts: readonly string[];
  /** Map outputs it serves. */
  readonly mapOutputs: number;
  readonly lastHeartbeatMs: number;
  /** Null when it is not in quarantine. */
  readonly quarantinedUntilMs: number | null;
  /** Relative to the mean; 1 is average. */
  readonly speed: number;
  readonly rssBytes: number;
  /** Of the container or machine; 0 when unknown. */
  readonly memoryBytesMax: number;
  /** 1 for one busy core. */
  readonly cpuFraction: number;
  readonly scratchBytes: number;
  /** 0 when unknown. */
  readonly scratchBytesMax: number;
}

export interface TaskCounts {
  readonly pending: number;
  readonly running: number;
  readonly completed: number;
  /** Failed attempts. */
  readonly failed: number;
}

export interface ClusterView {
  /** Of the coordinator, milliseconds since 1970: what the times of this view are to be compared with. */
  readonly nowMs: number;
  readonly epoch: number;
  readonly slots: number;
  readonly slotsUsed: number;
  /** By state; only jobs the coordinator still knows. */
  readonly jobs: Readonly<Record<string, number>>;
  readonly jobsActive: number;
  /** Of the active jobs. */
  readonly maps: TaskCounts;
  readonly reduces: TaskCounts;
  readonly workers: readonly WorkerView[];
}
