import { expect, test } from 'vitest';
import { Driver } from '../../test/core/driver.ts';
import { makeSplits } from '../../test/core/make.ts';

test('a line of the log names job, task, attempt and worker in fields of their own', () => {
  const driver = new Driver();
  driver.join('w1');
  driver.submit('j1', makeSplits(1));
  driver.failed('w1', 'j1/m0.0', { kind: 'internal', message: 'boom' });
  const said = driver.effects.filter((effect) => effect.type === 'say');
  expect(said).toContainEqual({
    type: 'say',
    level: 'warn',
    about: { job: 'j1', task: 'm0', attempt: 0, worker: 'w1' },
    text: 'm0.0 failed on w1: internal: boom',
  });
});
