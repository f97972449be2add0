/** For tests of what shows or reads a view of the cluster: what the test says, and nothing else going on. */
import type { ClusterView, WorkerView } from '../lib/cluster-view.ts';

export function makeWorkerView(fields: Partial<WorkerView> = {}): WorkerView {
  return {
    workerId: 'rack1-0a',
    state: 'ready',
    host: 'rack1',
    pid: 7,
    softwareVersion: '1.0.0',
    fetchAddress: 'rack1:9000',
    slots: 4,
    slotsUsed: 0,
    fetching: 0,
    attempts: [],
    mapOutputs: 0,
    lastHeartbeatMs: 100_000,
    quarantinedUntilMs: null,
    speed: 1,
    rssBytes: 0,
    memoryBytesMax: 0,
    cpuFraction: 0,
    scratchBytes: 0,
    scratchBytesMax: 0,
    ...fields,
  };
}

export function makeClusterView(fields: Partial<ClusterView> = {}): ClusterView {
  const noTasks = { pending: 0, running: 0, completed: 0, failed: 0 };
  return {
    nowMs: 100_000,
    epoch: 1,
    slots: 0,
    slotsUsed: 0,
    jobs: {},
    jobsActive: 0,
    maps: noTasks,
    reduces: noTasks,
    workers: [],
    ...fields,
  };
}
