/**
 * Which map outputs are on this worker's disk: the only thing that a fetch is answered from, and it is asked with numbers,
 * never with paths. After a restart it is empty: what cannot be vouched for is not served (I15).
 */
import { type AttemptId, attemptKey, type JobId } from '../../lib/ids.ts';
import { RunReader } from './run-file.ts';

interface Output {
  readonly id: AttemptId;
  readonly path: string;
  reader: RunReader | undefined;
}

/** Files that stay open; the rest are opened again when asked for. */
const openFilesMax = 256;

export class MapOutputs {
  /** By job, then attemptKey: two attempts of one map may both be here, and either may be the one that is wanted. */
  readonly #jobs = new Map<JobId, Map<string, Output>>();
  readonly #open = new Set<Output>();

  /** The run file of an accepted or reported map attempt. */
  add(id: AttemptId, path: string): void {
    let outputs = this.#jobs.get(id.jobId);
    if (!outputs) {
      outputs = new Map();
      this.#jobs.set(id.jobId, outputs);
    }
    const before = outputs.get(attemptKey(id));
    if (before) this.#close(before);
    outputs.set(attemptKey(id), { id, path, reader: undefined });
  }

  /**
   * The run file of exactly this attempt, with its index checked; undefined when it is not here. Throws `corrupt` or
   * `not-found` when it is here but cannot be read. The reader stays this registry's: use it at once, do not close it.
   */
  find(jobId: JobId, map: number, attempt: number, epoch: number): RunReader | undefined {
    const output = this.#outputOf(jobId, map, attempt, epoch);
    if (!output) return undefined;
    output.reader ??= new RunReader(output.path);
    this.#open.delete(output);
    this.#open.add(output);
    if (this.#open.size > openFilesMax) this.#close(this.#open.values().next().value!);
    return output.reader;
  }

  /** Where the run file of exactly this attempt lies, whether it can be read or not. */
  pathOf(jobId: JobId, map: number, attempt: number, epoch: number): string | undefined {
    return this.#outputOf(jobId, map, attempt, epoch)?.path;
  }

  /** Every output here. */
  list(): AttemptId[] {
    return [...this.#jobs.values()].flatMap((outputs) => [...outputs.values()].map(({ id }) => id));
  }

  /** Forgets one attempt's output, if it is here; its file is the caller's to remove. Attempts of other tasks have none. */
  remove(id: AttemptId): void {
    const outputs = this.#jobs.get(id.jobId);
    const output = outputs?.get(attemptKey(id));
    if (!output) return;
    this.#close(output);
    outputs?.delete(attemptKey(id));
  }

  removeJob(jobId: JobId): void {
    for (const output of this.#jobs.get(jobId)?.values() ?? []) this.#close(output);
    this.#jobs.delete(jobId);
  }

  removeAll(): void {
    for (const jobId of [...this.#jobs.keys()]) this.removeJob(jobId);
  }

  #outputOf(jobId: JobId, map: number, attempt: number, epoch: number): Output | undefined {
    return this.#jobs.get(jobId)?.get(attemptKey({ jobId, kind: 'map', index: map, attempt, epoch }));
  }

  #close(output: Output): void {
    output.reader?.close();
    output.reader = undefined;
    this.#open.delete(output);
  }
}
