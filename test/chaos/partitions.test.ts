/** The short form of the partitions: a few of the scenarios, once each. `npm run test:partitions` runs all of them, often. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithMinio } from '../minio/describe-with-minio.ts';
import { ChaosCluster } from './chaos-cluster.ts';
import { maps, type Parts, reducers } from './count-job.ts';
import { runScenario, runUndisturbed } from './run-scenario.ts';
import { heartbeatTimeoutMs, leaseMs, scenarios } from './scenarios.ts';

if (process.platform === 'linux')
  await describeWithMinio(
    'two coordinators and three workers, each link of theirs behind a proxy',
    (minio) => {
      let cluster: ChaosCluster;
      let expected: Parts;
      beforeAll(async () => {
        cluster = await ChaosCluster.start(minio(), { workers: 3, leaseMs, heartbeatTimeoutMs });
        const undisturbed = await runUndisturbed(cluster, 'undisturbed');
        expect(undisturbed).toMatchObject({ mapsAgain: 0, reducesAgain: 0 });
        expected = undisturbed.parts;
      });
      afterAll(() => cluster?.[Symbol.asyncDispose]());

      /** By its name. */
      async function run(wanted: string, output: string) {
        const scenario = scenarios.find(({ name }) => name === wanted);
        if (!scenario) throw new Error(`no scenario is named '${wanted}'`);
        return await runScenario(cluster, scenario, output, expected);
      }

      test('without faults every byte between programs goes through the proxies', () => {
        const lanes = [...cluster.network.passed().keys()];
        expect(lanes).toEqual(
          expect.arrayContaining(['coordinator-1 store', 'worker-1 store', 'worker-3 worker-1']),
        );
        expect(lanes).toEqual(expect.arrayContaining(['coordinator-1 worker-2', 'worker-2 coordinator-1']));
        expect(cluster.network.strangers).toBe(0);
      });

      test('a worker cut off past its lease: what it had runs elsewhere, and it comes back', async () => {
        const outcome = await run('one worker from everyone, past its lease', 'worker');
        expect(outcome.hasNewLeader).toBe(false);
        // Beyond what the lost worker had, nothing.
        expect(outcome.mapsAgain).toBeLessThan(maps / 2);
        expect(outcome.reducesAgain).toBeLessThanOrEqual(reducers);
      });

      test('workers that cannot reach each other: the job waits, and nothing runs again', async () => {
        const outcome = await run('every worker from every other by resets', 'mesh');
        expect(outcome).toMatchObject({ hasNewLeader: false });
      });

      test('a leader that reaches its workers, not the store: the standby leads, and the job goes on', async () => {
        const outcome = await run('the leader from the store, not from its workers', 'leader');
        expect(outcome.hasNewLeader).toBe(true);
      });
    },
  );
