/** The job's setup and teardown around a task. */
import type { UserJob } from '../../lib/user-job.ts';
import type { TaskContext } from './context.ts';
import { blameUser } from './task-failure.ts';

/**
 * Runs `setup`, then `body`, then `teardown`: once each per attempt. After a failure `teardown` still runs, and the first failure is
 * the one that counts.
 */
export async function withHooks<T>(job: UserJob, context: TaskContext, body: () => Promise<T>): Promise<T> {
  await runHook(job, 'setup', context);
  let result: T;
  try {
    result = await body();
  } catch (thrown) {
    try {
      await runHook(job, 'teardown', context);
    } catch (second) {
      context.log('teardown failed too:', second);
    }
    throw thrown;
  }
  await runHook(job, 'teardown', context);
  return result;
}

async function runHook(job: UserJob, name: 'setup' | 'teardown', context: TaskContext): Promise<void> {
  const hook = job[name];
  if (!hook) return;
  try {
    await hook.call(job, context);
  } catch (thrown) {
    throw blameUser(thrown, name, '');
  }
}
