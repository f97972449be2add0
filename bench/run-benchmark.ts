/** All of a benchmark: fast runs in rounds, then what has no peers, then the slow peers while there is time. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Budget } from './budget.ts';
import type { Experiment } from './experiments/experiment.ts';
import { Inputs } from './inputs.ts';
import { thisMachine } from './machine.ts';
import type { Peer, PeerProgram } from './peers/peer.ts';
import { type Report, reportVersion } from './report/report.ts';
import { type Findings, nothingFound, type Omission, together } from './result.ts';
import type { Scenario } from './scenarios/scenarios.ts';
import { ours, type Subject, theirs } from './scenarios/subject.ts';
import { type Setting, Tournament } from './scenarios/tournament.ts';
import { sizeText, tournamentFindings } from './scenarios/tournament-findings.ts';

export interface BenchmarkOptions {
  readonly scenarios: readonly Scenario[];
  readonly experiments: readonly Experiment[];
  readonly peers: readonly Peer[];
  readonly sizes: readonly number[];
  readonly runs: number;
  readonly slowRuns: number;
  readonly slots: number;
  /** Everybody once more, before what counts. */
  readonly warmUp: boolean;
  readonly budget: Budget;
  readonly dataFolder: string;
  readonly seed: number;
  /** As they were given, for the report. */
  readonly text: string;
  readonly say: (line: string) => void;
}

interface Found {
  readonly peer: Peer;
  readonly program: PeerProgram;
}

export async function runBenchmark(options: BenchmarkOptions): Promise<Report> {
  const startedAt = new Date();
  mkdirSync(options.dataFolder, { recursive: true });
  const folder = mkdtempSync(join(options.dataFolder, 'run-'));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  process.once('exit', remove);
  const { found, missing } = await findPeers(options.peers);
  try {
    const tournaments = setUp(options, found, folder);
    await fastRounds(tournaments, options);
    const { findings, mistakes } = await runExperiments(options, folder);
    for (let round = 0; round < options.slowRuns; round++) {
      for (const tournament of tournaments) await slowRound(tournament, options.runs + round);
    }
    const all = together([
      { ...nothingFound, omissions: missing },
      ...tournaments.map(tournamentFindings),
      ...findings,
    ]);
    return {
      version: reportVersion,
      startedAt: startedAt.toISOString(),
      tookSeconds: (Date.now() - startedAt.getTime()) / 1000,
      options: options.text,
      machine: thisMachine(),
      peers: found.map(({ peer: { name, title }, program: { version } }) => ({ name, title, version })),
      mistakes: [...tournaments.flatMap((tournament) => tournament.mistakes), ...mistakes],
      ...all,
    };
  } finally {
    for (const { program } of found) await program.stop?.();
    remove();
    process.removeListener('exit', remove);
  }
}

async function findPeers(
  peers: readonly Peer[],
): Promise<{ readonly found: Found[]; readonly missing: Omission[] }> {
  const found: Found[] = [];
  const missing: Omission[] = [];
  for (const peer of peers) {
    const program = await peer.find();
    if ('missing' in program) missing.push({ group: 'all', subject: peer.name, why: program.missing });
    else found.push({ peer, program });
  }
  return { found, missing };
}

/** The inputs of all are made before anything is timed. */
function setUp(options: BenchmarkOptions, found: readonly Found[], folder: string): Tournament[] {
  const { scenarios, slots, budget, say } = options;
  const inputs = new Inputs(options.dataFolder, options.seed, say);
  return scenarios.flatMap((scenario) => {
    const sizes = scenario.inputBytes === undefined ? options.sizes : [scenario.inputBytes];
    return sizes.map((bytes) => {
      const input = inputs.get(scenario.input, bytes);
      const setting: Setting = { scenario, bytes, input, threads: slots, folder, budget, say };
      const peers = found.filter(({ peer }) => peer.scenarios.includes(scenario.name));
      return new Tournament(setting, [
        ...scenario.variants.map(ours),
        ...peers.map(({ peer, program }) => theirs(peer, program)),
      ]);
    });
  });
}

async function fastRounds(
  tournaments: readonly Tournament[],
  { runs, warmUp, say }: BenchmarkOptions,
): Promise<void> {
  const isFast = ({ isSlow }: Subject) => !isSlow;
  // Without any runs there are only those of slow peers.
  const runsOf = ({ setting }: Tournament) =>
    runs === 0 ? 0 : Math.max(runs, setting.scenario.runsMin ?? 0);
  const most = Math.max(0, ...tournaments.map(runsOf));
  for (let round = 0; round < most; round++) {
    for (const tournament of tournaments) {
      const { scenario, bytes } = tournament.setting;
      if (round >= runsOf(tournament)) continue;
      say(`${scenario.name}, ${sizeText(bytes)}, round ${round + 1}`);
      // Beside the count of its calls this warms up code and input for the first round.
      if (round === 0) await tournament.countRpcs();
      if (round === 0 && warmUp) await tournament.warmUp();
      await tournament.round(round, isFast);
    }
  }
}

/** With ours beside them, so that both have the same weather. */
async function slowRound(tournament: Tournament, round: number): Promise<void> {
  if (!tournament.samples.some(({ subject }) => subject.isSlow)) return;
  const { scenario, bytes, say } = tournament.setting;
  say(`${scenario.name}, ${sizeText(bytes)}, slow peers`);
  await tournament.round(round, ({ isSlow, isOurs }) => isSlow || isOurs);
}

async function runExperiments(
  { experiments, runs, dataFolder, seed, budget, say }: BenchmarkOptions,
  parent: string,
): Promise<{ readonly findings: Findings[]; readonly mistakes: string[] }> {
  const findings: Findings[] = [];
  const mistakes: string[] = [];
  const inputs = new Inputs(dataFolder, seed, say);
  for (const experiment of experiments) {
    const { name, title } = experiment;
    const noTime = budget.allows(experiment.expectedSeconds(runs))
      ? undefined
      : 'no time was left (--budget)';
    const why = experiment.whyNot() ?? noTime;
    if (why !== undefined) {
      findings.push({ ...nothingFound, omissions: [{ group: name, subject: title, why }] });
      continue;
    }
    say(`${name}: ${title}`);
    const folder = mkdtempSync(join(parent, 'experiment-'));
    try {
      const input = inputs.get.bind(inputs);
      findings.push(await experiment.run({ runs, folder, input, say: (line) => say(`  ${line}`) }));
    } catch (thrown) {
      mistakes.push(`${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  }
  return { findings, mistakes };
}
