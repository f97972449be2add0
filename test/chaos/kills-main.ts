/** What deaths of each kind of program cost a small job. `npm run test:kills [-- RUNS]`, by default 3: medians. `npm run bench` kills workers of larger ones. */
import { summary } from '../../bench/statistics.ts';
import { startMinio } from '../minio/start-minio.ts';
import { kills, runKill } from './kills.ts';

async function printKills(runs: number): Promise<void> {
  await using minio = await startMinio();
  console.log(
    '| killed | runs | seconds | undisturbed | done and running then | maps again | reduces again | |',
  );
  console.log('|---|---|---|---|---|---|---|---|');
  for (const kill of kills) {
    const outcomes = [];
    for (let run = 0; run < runs; run++) outcomes.push(await runKill(minio, kill));
    const cells = [
      kill.name,
      String(runs),
      summary(outcomes.map(({ seconds }) => seconds)).median.toFixed(1),
      summary(outcomes.map(({ undisturbedSeconds }) => undisturbedSeconds)).median.toFixed(1),
      outcomes.map(({ mapsDone, mapsRunning }) => `${mapsDone}+${mapsRunning}`).join(' '),
      outcomes.map(({ mapsAgain }) => mapsAgain).join(' '),
      outcomes.map(({ reducesAgain }) => reducesAgain).join(' '),
      outcomes.map(({ note }) => note).join('; '),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

const [runs = '3'] = process.argv.slice(2);
await printKills(Number(runs));
