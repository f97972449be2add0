/** One scenario at one size: runs everybody who takes part, checks each answer, and keeps the samples. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Budget } from '../budget.ts';
import { type Measured, measure } from '../measure.ts';
import type { Omission } from '../result.ts';
import { answerDigest, answerMistake } from './answer.ts';
import type { Scenario } from './scenarios.ts';
import { type Subject, shuffledBytes } from './subject.ts';
import { sizeText } from './tournament-findings.ts';

export interface Setting {
  readonly scenario: Scenario;
  readonly bytes: number;
  readonly input: string;
  readonly threads: number;
  /** Holds outputs while they are looked at. */
  readonly folder: string;
  readonly budget: Budget;
  readonly say: (line: string) => void;
}

export interface Run extends Measured {
  readonly round: number;
}

export interface Samples {
  readonly subject: Subject;
  readonly runs: Run[];
  shuffledBytes: number | undefined;
  rpcs: number | undefined;
}

const countRpcs = pathToFileURL(join(import.meta.dirname, '../preloads/count-rpcs.mjs')).href;
/** Of whoever was not seen yet, for 200 MB. */
const guess = { fast: 20, slow: 60, bytes: 200e6, startUp: 5 };
const timeoutMsMax = 20 * 60_000;

export class Tournament {
  readonly setting: Setting;
  readonly samples: readonly Samples[];
  readonly omissions: Omission[] = [];
  /** Answers that were wrong, and runs of ours that failed: the benchmark has failed. */
  readonly mistakes: string[] = [];
  readonly #out = new Set<Subject>();
  #right: { readonly digest: string; readonly of: string } | undefined;

  constructor(setting: Setting, subjects: readonly Subject[]) {
    this.setting = setting;
    this.samples = subjects.map((subject) => ({
      subject,
      runs: [],
      shuffledBytes: undefined,
      rpcs: undefined,
    }));
  }

  /** Everybody who is wanted once, a different one first in each round. */
  async round(round: number, isWanted: (subject: Subject) => boolean): Promise<void> {
    const wanted = this.samples.filter(({ subject }) => isWanted(subject) && !this.#out.has(subject));
    for (const turn of wanted.keys()) await this.#runOnce(wanted[(round + turn) % wanted.length]!, round);
  }

  /** Everybody once, not counted: code and input are in memory then. */
  async warmUp(): Promise<void> {
    for (const samples of this.samples) await this.#runOnce(samples, undefined);
  }

  /** Our first variant once, not timed, for the calls that it makes. */
  async countRpcs(): Promise<void> {
    const samples = this.samples.find(({ subject }) => subject.isOurs);
    if (samples) await this.#attempt(samples, (output) => this.#measureRpcs(samples, output));
  }

  /** Without a round it does not count. */
  async #runOnce(samples: Samples, round: number | undefined): Promise<void> {
    if (!this.setting.budget.allows(this.#expectedSeconds(samples))) {
      this.#leaveOut(samples.subject, `after ${samples.runs.length} runs no time was left (--budget)`);
      return;
    }
    await this.#attempt(samples, async (output, scratch) => {
      const run = await this.#measure(samples.subject, output, scratch);
      if (await this.#isRight(samples.subject, output)) {
        if (round !== undefined) samples.runs.push({ ...run, round });
        if (samples.subject.isOurs) samples.shuffledBytes = shuffledBytes(output);
      }
      this.setting.say(`  ${samples.subject.name.padEnd(24)} ${(run.wallMs / 1000).toFixed(2)} s`);
    });
  }

  async #attempt(
    { subject }: Samples,
    run: (output: string, scratch: string) => Promise<void>,
  ): Promise<void> {
    const folder = mkdtempSync(join(this.setting.folder, 'run-'));
    try {
      await run(join(folder, 'output'), mkdtempSync(join(folder, 'scratch-')));
    } catch (thrown) {
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      if (subject.isOurs) this.mistakes.push(`${this.#label} by ${subject.name}: ${message}`);
      this.#leaveOut(subject, message.slice(0, 600));
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  async #measure(subject: Subject, output: string, scratch: string): Promise<Measured> {
    const { scenario, input, threads, budget } = this.setting;
    const { program, args, env } = subject.command({
      scenario: scenario.name,
      input,
      output,
      scratch,
      threads,
    });
    const timeoutMs = budget.timeoutMs(timeoutMsMax);
    return measure(program, args, { timeoutMs, ...(env && { env }) });
  }

  async #measureRpcs(samples: Samples, output: string): Promise<void> {
    const { scenario, input, threads } = this.setting;
    const task = { scenario: scenario.name, input, output, scratch: '', threads };
    const { program, args } = samples.subject.command(task);
    const file = `${output}.rpcs`;
    writeFileSync(file, '');
    await measure(program, args, { env: { NODE_OPTIONS: `--import=${countRpcs}`, COUNT_RPCS: file } });
    if (!(await this.#isRight(samples.subject, output))) return;
    const counts = readFileSync(file, 'utf8').trim().split('\n').map(Number);
    samples.rpcs = counts.reduce((sum, count) => sum + count, 0);
  }

  /** The first answer is checked by itself, and is what the others are compared with. */
  async #isRight(subject: Subject, output: string): Promise<boolean> {
    const { scenario, input } = this.setting;
    const digest = await answerDigest(scenario.answer, output);
    if (!this.#right) {
      const mistake = answerMistake(scenario.answer, input, output);
      if (mistake) return this.#isWrong(subject, mistake);
      this.#right = { digest, of: subject.name };
    }
    if (digest === this.#right.digest) return true;
    return this.#isWrong(subject, `the answer is not that of ${this.#right.of}`);
  }

  #isWrong(subject: Subject, why: string): false {
    this.mistakes.push(`${this.#label} by ${subject.name}: ${why}`);
    this.#leaveOut(subject, why);
    return false;
  }

  get #label(): string {
    return `${this.setting.scenario.name} of ${this.setting.bytes} bytes`;
  }

  #leaveOut(subject: Subject, why: string): void {
    this.#out.add(subject);
    const { scenario, bytes, say } = this.setting;
    this.omissions.push({ group: `${scenario.name}, ${sizeText(bytes)}`, subject: subject.name, why });
    say(`  ${subject.name.padEnd(24)} left out: ${why}`);
  }

  #expectedSeconds({ runs, subject }: Samples): number {
    const last = runs.at(-1);
    if (last) return last.wallMs / 1000;
    return guess.startUp + ((subject.isSlow ? guess.slow : guess.fast) * this.setting.bytes) / guess.bytes;
  }
}
