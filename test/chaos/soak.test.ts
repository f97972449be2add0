/** The short form of the soak: two rounds of jobs. `npm run test:soak` goes on for half an hour. */
import { afterEach, expect, test } from 'vitest';
import { describeWithMinio } from '../minio/describe-with-minio.ts';
import { Soak, type SoakRound } from './soak.ts';

if (process.platform === 'linux')
  await describeWithMinio('a cluster whose programs are killed and whose store fails', (minio) => {
    let soak: Soak | undefined;
    // Also after a test that took too long.
    afterEach(() => soak?.[Symbol.asyncDispose]());

    test('gives right outputs, and is at rest afterwards as it was before', async () => {
      const rounds: SoakRound[] = [];
      soak = await Soak.start(minio(), {
        ...{ roundMs: 14_000, rounds: 2, streams: 2, seed: 7 },
        ...{ workerKillMs: [1_500, 4_000], leaderKillMs: 8_000 },
        onRound: (round) => rounds.push(round),
      });
      await soak.run();
      const last = rounds.at(-1)!;
      expect(rounds).toHaveLength(2);
      expect(last.jobsDone).toBeGreaterThanOrEqual(2);
      expect(last.storeFaults).toBeGreaterThan(0);
      expect(last.troubles).toMatchObject({ leadersKilled: 1, leadersStopped: 1 });
      expect(last.troubles.workersKilled).toBeGreaterThanOrEqual(4);
    });
  });
