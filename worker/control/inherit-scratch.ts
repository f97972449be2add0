/**
 * A worker that starts on a folder where another one died takes over its map outputs: each whole run file, its index checked, moves
 * into the new worker's folder and is offered to the coordinator. Everything else the dead worker left is removed.
 */
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import { type AttemptId, type JobId, toJobId, toWorkerId, type WorkerId } from '../../lib/ids.ts';
import { mapOutputName } from '../map/map-task.ts';
import { RunReader } from '../shuffle/run-file.ts';
import { listDeadWorkers, type Scratch } from './scratch.ts';

export interface InheritedOutput {
  readonly attempt: AttemptId;
  readonly path: string;
  /** Of the whole file. */
  readonly bytes: number;
}

export interface Inheritance {
  /** The dead workers whose folders are gone now. */
  readonly workers: readonly WorkerId[];
  readonly outputs: readonly InheritedOutput[];
}

const attemptFolder = /^m(\d{1,7})\.(\d{1,7})\.e(\d{1,7})$/;
const idPattern = /^[A-Za-z0-9_-]{1,64}$/;

export function inheritScratch(directory: string, scratch: Scratch): Inheritance {
  const workers: WorkerId[] = [];
  const outputs: InheritedOutput[] = [];
  for (const name of listDeadWorkers(directory).filter((one) => idPattern.test(one))) {
    const folder = join(directory, name);
    for (const jobName of readdirSync(folder).filter((one) => idPattern.test(one))) {
      outputs.push(...inheritJob(join(folder, jobName), toJobId(jobName), scratch));
    }
    failpoint('worker.inherit-rest');
    rmSync(folder, { recursive: true, force: true });
    workers.push(toWorkerId(name));
  }
  return { workers, outputs };
}

function inheritJob(folder: string, jobId: JobId, scratch: Scratch): InheritedOutput[] {
  return readdirSync(folder).flatMap((name) => {
    const match = attemptFolder.exec(name);
    if (!match) return [];
    const [index, attempt, epoch] = match.slice(1).map(Number) as [number, number, number];
    const id: AttemptId = { jobId, kind: 'map', index, attempt, epoch };
    const bytes = bytesOfRun(join(folder, name, mapOutputName));
    if (bytes === undefined) return [];
    const target = scratch.attemptPath(id);
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(folder, name), target);
    failpoint('worker.inherit-output');
    return [{ attempt: id, path: join(target, mapOutputName), bytes }];
  });
}

/** Undefined when there is no whole run: the attempt was still at work, or its file is torn. */
function bytesOfRun(path: string): number | undefined {
  try {
    using run = new RunReader(path);
    return run.bytes;
  } catch (thrown) {
    const { code } = MillraceError.from(thrown);
    if (code === 'not-found' || code === 'corrupt') return undefined;
    throw thrown;
  }
}
