/** What the main thread does for jobs with a profile: it serves and fetches while their tasks run in other threads. */
import { assert } from '../../lib/assert.ts';
import { noMicros, type Profile } from '../../lib/profile.ts';
import type { ThreadProfiler } from '../profile/thread-profiler.ts';

/** The rest of this thread's time is not of one job. */
const own = ['serve', 'fetch'] as const;

export class MainProfile {
  #users = 0;
  /** Kept: the first recording of one costs much more than the next. */
  #profiler: ThreadProfiler | undefined;
  #isSampling = false;

  /** Samples from now on, until each `begin` had its `end`. */
  async begin(): Promise<void> {
    this.#users++;
    // Loaded when a job has a profile, so that others pay nothing.
    const { ThreadProfiler } = await import('../profile/thread-profiler.ts');
    this.#profiler ??= new ThreadProfiler();
    if (!this.#isSampling) this.#profiler.start();
    this.#isSampling = true;
  }

  /** What was served and fetched since anybody last asked: of several jobs at once, who asks first has it. */
  end(): Profile {
    const profiler = this.#profiler;
    assert(profiler, 'a profile that ends has begun');
    const { micros: all } = profiler.stop('main');
    this.#isSampling = --this.#users > 0;
    if (this.#isSampling) profiler.start();
    const micros = noMicros();
    for (const stage of own) micros[stage] = all[stage];
    return { micros, functions: [] };
  }
}
