/** All there are, in the order in which they run and are shown: first those that a figure asks for. */
import { memory } from '../scenarios/memory.ts';
import { durability, minio } from '../scenarios/minio.ts';
import { profile } from '../scenarios/profile.ts';
import { tls } from '../scenarios/tls.ts';
import { warmSubmit } from '../scenarios/warm-submit.ts';
import { coordinatorTasks } from './coordinator-tasks.ts';
import type { Experiment } from './experiment.ts';
import { killedWorkers } from './killed-workers.ts';
import { latencyBound } from './latency-bound.ts';
import { scalingSlots } from './scaling-slots.ts';
import { scalingWorkers } from './scaling-workers.ts';
import { shuffleStream } from './shuffle-stream.ts';
import { slowWorker } from './slow-worker.ts';
import { startUpShare } from './start-up-share.ts';
import { transferRate } from './transfer-rate.ts';

export const experiments: readonly Experiment[] = [
  warmSubmit,
  shuffleStream,
  coordinatorTasks,
  scalingSlots,
  scalingWorkers,
  slowWorker,
  killedWorkers,
  latencyBound,
  startUpShare,
  transferRate,
  profile,
  tls,
  minio,
  durability,
  memory,
];
