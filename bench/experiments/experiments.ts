/** All there are, in the order in which they run and are shown: first those that a figure asks for. */
import { memory } from '../scenarios/memory.ts';
import { durability, minio } from '../scenarios/minio.ts';
import { tls } from '../scenarios/tls.ts';
import { warmSubmit } from '../scenarios/warm-submit.ts';
import { coordinatorTasks } from './coordinator-tasks.ts';
import type { Experiment } from './experiment.ts';
import { shuffleStream } from './shuffle-stream.ts';

export const experiments: readonly Experiment[] = [
  warmSubmit,
  shuffleStream,
  coordinatorTasks,
  tls,
  minio,
  durability,
  memory,
];
