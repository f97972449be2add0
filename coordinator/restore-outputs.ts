/** What the shell remembers of outputs besides the core, taken up from the journal. */
import type { JobId } from '../lib/ids.ts';
import type { PersistRecord } from './core/effects.ts';
import type { CoreState } from './core/state.ts';
import type { PerformPorts } from './perform.ts';

/** `state` is that after the replay of the records. To be called before its effects are performed. */
export function restoreOutputs(
  state: Pick<CoreState, 'activeJobs'>,
  records: readonly PersistRecord[],
  { outputsInUse, commitsBegun }: Pick<PerformPorts, 'outputsInUse' | 'commitsBegun'>,
): void {
  const begun = new Set<JobId>();
  for (const record of records) {
    const hasBegun =
      record.type === 'job-committing' || (record.type === 'job-stopping' && record.outcome.hasCommitBegun);
    if (hasBegun) begun.add(record.jobId);
  }
  for (const { spec } of state.activeJobs) {
    outputsInUse.add(spec.outputUri);
    if (begun.has(spec.jobId)) commitsBegun.add(spec.jobId);
  }
}
