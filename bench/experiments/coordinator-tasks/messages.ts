/** What the three processes of the experiment say to each other. */

export interface CoordinatorPlan {
  readonly storeUri: string;
}

export interface WorkersPlan {
  /** HOST:PORT of the coordinator. */
  readonly coordinator: string;
  readonly workers: number;
  readonly slotsEach: number;
  readonly reducers: number;
}

/** Of the coordinator's process, since it was asked before. */
export interface CoordinatorUse {
  readonly cpuSeconds: number;
  /** Of the JavaScript heap, after a collection. */
  readonly heapBytes: number;
  /** By how much a timer was late, at the 99th percentile. */
  readonly stallP99Ms: number;
  /** When it was most late: while a job is planned, or while a snapshot is written. */
  readonly stallMsMax: number;
}

/** To the workers: count from now on, and say when so many maps were answered. */
export interface WorkersOrder {
  readonly maps: number;
}

export interface MapsAnswered {
  /** From the first assignment to the last answer. */
  readonly ms: number;
}
