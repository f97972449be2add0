/** A job through the command line, as users submit it: with both coordinators named, it has to find the one that leads. */
import type { JobView } from '../../lib/job-view.ts';
import { type Ended, startCli } from '../e2e/cli-process.ts';
import type { MatrixCluster } from './matrix-cluster.ts';
import type { Scenario } from './scenarios.ts';

/** What the command line said and how it ended. */
export interface Told {
  readonly end: Ended;
  /** Undefined when it was not accepted, as far as is known. */
  readonly jobId: string | undefined;
  /** At its end; undefined when that was not heard of. */
  readonly view: JobView | undefined;
}

/** Past any slowness of a machine that does much else. */
const jobMsMax = 300_000;

/** `input` and `output` are keys of the cluster's place. It is killed when the job does not end in time. */
export async function submit(
  { place, addresses, env }: MatrixCluster,
  { jobFile, flags }: Scenario,
  input: string,
  output: string,
): Promise<Told> {
  const where = ['--coordinator', addresses, '-i', place.uri(input), '-o', place.uri(output)];
  const { child, ended } = startCli(['submit', jobFile, ...where, ...flags, '--json'], { env });
  const deadline = setTimeout(() => child.kill('SIGKILL'), jobMsMax);
  const end = await ended;
  clearTimeout(deadline);
  const lines = end.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Partial<JobView>);
  const view = lines.find(({ state }) => state !== undefined) as JobView | undefined;
  return { end, jobId: lines[0]?.jobId, view };
}
