/** What a worker that died left, taken over by the next one: the run file of a map and the report beside it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../lib/clock.ts';
import { type AttemptId, formatAttempt, toJobId, toWorkerId } from '../../../lib/ids.ts';
import type { MapReport } from '../../../lib/reports.ts';
import { inheritScratch } from '../../../worker/control/inherit-scratch.ts';
import { keepReport, readKeptReport } from '../../../worker/control/kept-report.ts';
import { Scratch } from '../../../worker/control/scratch.ts';
import { ScratchBudget } from '../../../worker/control/scratch-budget.ts';
import { RunReader } from '../../../worker/shuffle/run-file.ts';
import type { Random } from '../../core/fake-cluster.ts';
import { readRun, type WrittenRun, writeRun } from '../pairs.ts';
import { Noticed, type TargetKind } from '../target.ts';

interface Left {
  readonly attempt: AttemptId;
  readonly run: WrittenRun;
  readonly report: Buffer;
}

const partitions = 3;

function leave(folder: string, random: Random, attempt: AttemptId): Left {
  mkdirSync(folder, { recursive: true });
  const run = writeRun(join(folder, 'output.run'), random, partitions, 30);
  const report: MapReport = {
    inputRecords: random.below(1000),
    inputBytes: random.below(100_000),
    segments: run.segments,
    part: undefined,
    spills: 0,
    spillBytes: 0,
  };
  keepReport(folder, attempt, report, { seen: random.below(100) });
  return { attempt, run, report: readFileSync(join(folder, 'report.json')) };
}

function inherited(name: string, damaged: 'run' | 'report'): TargetKind {
  return {
    name,
    share: 1,
    async make(folder, random) {
      const idOf = (job: string, index: number, attempt: number): AttemptId => ({
        jobId: toJobId(job),
        kind: 'map',
        index,
        attempt,
        epoch: 1,
      });
      const ids = [idOf('j1', 0, 0), idOf('j1', 1, 0), idOf('j1', 0, 1), idOf('j2', 0, 0)];
      const left = ids.map((id, i) => leave(join(folder, `made-${i}`), random, id));
      const [own, ...others] = left as [Left, ...Left[]];
      const directory = join(folder, 'scratch');
      const budget = await ScratchBudget.open({ directory, limitBytes: undefined, clock: systemClock });
      const { pid } = spawnSync(process.execPath, ['-e', '']);
      const bytesOf = (one: Left) => (damaged === 'run' ? one.run.bytes : one.report);
      return {
        whole: bytesOf(own),
        boundaries: damaged === 'run' ? own.run.boundaries : [9, own.report.length],
        others: others.map(bytesOf),
        async read(bytes) {
          const dead = join(directory, 'dead');
          for (const one of left.slice(0, 2)) {
            const { attempt, run, report } = one;
            const at = join(dead, attempt.jobId, `${formatAttempt(attempt)}.e${attempt.epoch}`);
            mkdirSync(at, { recursive: true });
            writeFileSync(join(at, 'output.run'), one === own && damaged === 'run' ? bytes : run.bytes);
            writeFileSync(join(at, 'report.json'), one === own && damaged === 'report' ? bytes : report);
          }
          const owner = { host: hostname(), pid, processStartedAtMs: 1 };
          writeFileSync(join(dead, 'owner.json'), JSON.stringify(owner));
          const scratch = new Scratch(budget, toWorkerId('new'));
          try {
            return readAll(inheritScratch(directory, scratch).outputs);
          } finally {
            rmSync(scratch.path, { recursive: true });
          }
        },
        close: () => budget.close(),
      };
    },
  };
}

/** What the new worker says of each output to a coordinator that knows nothing, and what a reduce would read of it. */
function readAll(outputs: readonly { readonly attempt: AttemptId; readonly path: string }[]): string {
  const said = outputs.map(({ attempt, path }) => {
    using run = new RunReader(path);
    const report = readKeptReport(attempt, run);
    return report && `${JSON.stringify(report)} ${readRun(path)}`;
  });
  const known = said.filter((one) => one !== undefined);
  if (known.length < 2) throw new Noticed(`not offered again, ${known.length} other is`);
  return known.sort().join('\n');
}

export const inheritedRun = inherited('run file left by a dead worker', 'run');
export const inheritedReport = inherited('report left by a dead worker', 'report');
