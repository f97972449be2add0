/** All there are, in the order in which they run and are shown. */
import { coordinatorTasks } from './coordinator-tasks.ts';
import type { Experiment } from './experiment.ts';
import { shuffleStream } from './shuffle-stream.ts';

export const experiments: readonly Experiment[] = [shuffleStream, coordinatorTasks];
