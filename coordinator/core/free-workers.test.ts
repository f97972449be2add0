import { expect, test } from 'vitest';
import { Driver } from '../../test/core/driver.ts';
import { Random } from '../../test/core/fake-cluster.ts';
import { makeSplits } from '../../test/core/make.ts';
import { chooseWorker, hasPlace } from './choose-worker.ts';
import { FreeWorkers } from './free-workers.ts';
import type { Attempt, Worker } from './state.ts';

/** Workers of any speed, slots and host, one of which runs the only task. */
function crowd(random: Random): { driver: Driver; workers: Worker[]; attempt: Attempt } {
  const driver = new Driver();
  for (let at = 0; at < 1 + random.below(40); at++) {
    driver.join(`w${at}`, { slots: 1 + random.below(4), host: `h${random.below(6)}` });
  }
  const workers = [...driver.state.workers.values()];
  for (const worker of workers) worker.speed = random.pick([0.4, 1, 1, 1.1, 2.5])!;
  const { map } = driver.submit('j1', makeSplits(1));
  return { driver, workers, attempt: map.tasks[0]!.attempts[0]! };
}

test('the best of those with a place is the one that comparing all of them finds, whatever was given out before', () => {
  let compared = 0;
  for (let seed = 0; seed < 200; seed++) {
    const random = new Random(seed);
    const { driver, workers, attempt } = crowd(random);
    const { state } = driver;
    const { task } = attempt;
    const free = new FreeWorkers(
      workers.filter((worker) => hasPlace(worker, 'cpu')),
      'cpu',
    );
    for (;;) {
      const hosts = random.chance(0.5) ? [] : [`h${random.below(8)}`, `h${random.below(8)}`];
      const open = workers.filter((worker) => hasPlace(worker, 'cpu'));
      expect(free.size).toBe(open.length);
      expect(free.hasHost('h3')).toBe(open.some((worker) => worker.info.host === 'h3'));
      const chosen = free.choose(state, task, hosts);
      expect(chosen).toBe(chooseWorker(state, task, hosts, open));
      if (!chosen) break;
      compared++;
      chosen.attempts.set(`given-${compared}`, attempt);
      chosen.slotsUsed++;
      free.update(chosen);
    }
  }
  expect(compared).toBeGreaterThan(1_000);
});
