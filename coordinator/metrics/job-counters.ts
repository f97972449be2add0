/** Counters and histograms fed by job events: a few additions per attempt. */
import { Counter, Histogram, type Registry } from 'prom-client';
import type { JobId } from '../../lib/ids.ts';
import type { AttemptSums, JobEvent } from '../../lib/job-event.ts';
import { isTerminal } from '../../lib/job-view.ts';

type Ended = Extract<JobEvent, { type: 'attempt-ended' }>;
type Phase = 'sample' | 'map' | 'reduce';

const durationBuckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];
const delayBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1_800];

/** The disk of the worker that made it, the way to the reduce, what the reduce's worker kept of it. */
const damagePlaces = ['disk', 'transit', 'copy', 'store'] as const;

export class JobCounters {
  readonly #registry: Registry;
  /** Their maps write parts, not shuffle data. Only jobs that run. */
  readonly #mapOnly = new Set<JobId>();
  readonly #attempts;
  readonly #durations;
  readonly #delays;
  readonly #records;
  readonly #shuffleWritten;
  readonly #shuffleRead;
  readonly #fetchWait;
  readonly #spillBytes;
  readonly #spills;
  readonly #differences;
  readonly #damagedSegments;

  constructor(registry: Registry) {
    this.#registry = registry;
    const registers = [registry];
    this.#attempts = new Counter({
      name: 'mr_task_attempts_total',
      help: 'Task attempts that ended, by phase and outcome.',
      labelNames: ['phase', 'outcome'] as const,
      registers,
    });
    this.#durations = new Histogram({
      name: 'mr_task_duration_seconds',
      help: 'From the assignment of an attempt to its successful end.',
      labelNames: ['phase'] as const,
      buckets: durationBuckets,
      registers,
    });
    this.#delays = new Histogram({
      name: 'mr_scheduler_delay_seconds',
      help: 'How long tasks waited for a slot before an attempt started.',
      buckets: delayBuckets,
      registers,
    });
    this.#records = new Counter({
      name: 'mr_records_total',
      help: 'Records read and written by attempts that succeeded.',
      labelNames: ['phase', 'dir'] as const,
      registers,
    });
    this.#shuffleWritten = this.#counter('mr_shuffle_written_bytes_total', 'Map output kept for reduces.');
    this.#shuffleRead = this.#counter('mr_shuffle_read_bytes_total', 'Map output read by reduces.');
    this.#fetchWait = this.#counter(
      'mr_shuffle_fetch_wait_seconds_total',
      'Time reduces spent from their first location to their last segment.',
    );
    this.#spillBytes = this.#counter('mr_spill_bytes_total', 'Bytes of sorted runs that maps wrote early.');
    this.#differences = this.#counter(
      'mr_map_differences_total',
      'Times that attempts of a map were seen to have made different output.',
    );
    this.#spills = this.#counter('mr_spills_total', 'Sorted runs that maps wrote because a buffer was full.');
    this.#damagedSegments = new Counter({
      name: 'mr_shuffle_damaged_segments_total',
      help: 'Map outputs that reduces got or read with a wrong checksum, by what broke them.',
      labelNames: ['where'] as const,
      registers,
    });
    for (const where of damagePlaces) this.#damagedSegments.inc({ where }, 0);
  }

  count(event: JobEvent): void {
    switch (event.type) {
      case 'job-planned':
      case 'job-restored':
        if (event.reduces === 0) this.#mapOnly.add(event.jobId);
        return;
      case 'job-state':
        if (isTerminal(event.state)) this.#mapOnly.delete(event.jobId);
        return;
      case 'attempt-started':
        this.#delays.observe(event.waitedMs / 1000);
        return;
      case 'attempt-ended':
        this.#countEnded(event);
        return;
      case 'map-differed':
        this.#differences.inc();
        return;
      case 'segment-damaged':
        this.#damagedSegments.inc({ where: event.where });
        return;
      default:
        return;
    }
  }

  #countEnded({ jobId, task, outcome, durationMs, failure, sums }: Ended): void {
    const phase = phaseOf(task);
    if (failure?.kind === 'corrupt-segment') this.#damagedSegments.inc({ where: 'disk' });
    if (failure?.kind === 'corrupt-copy') this.#damagedSegments.inc({ where: 'copy' });
    this.#attempts.inc({ phase, outcome });
    if (outcome === 'done' || outcome === 'superseded') {
      this.#durations.observe({ phase }, durationMs / 1000);
    }
    if (sums) this.#countSums(phase, sums, this.#mapOnly.has(jobId));
  }

  #countSums(phase: Phase, sums: AttemptSums, isMapOnly: boolean): void {
    this.#records.inc({ phase, dir: 'in' }, sums.inputRecords);
    this.#records.inc({ phase, dir: 'out' }, sums.outputRecords);
    this.#spills.inc(sums.spills);
    this.#spillBytes.inc(sums.spillBytes);
    this.#fetchWait.inc(sums.fetchMs / 1000);
    if (phase === 'map' && !isMapOnly) this.#shuffleWritten.inc(sums.outputBytes);
    if (phase === 'reduce') this.#shuffleRead.inc(sums.inputBytes);
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers: [this.#registry] });
  }
}

/** Of `m3`, `r0`, `s1`. */
function phaseOf(task: string): Phase {
  if (task.startsWith('r')) return 'reduce';
  return task.startsWith('s') ? 'sample' : 'map';
}
