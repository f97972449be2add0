/** `millrace replay`: a task of a job again, here, under the inspector if asked. */
import { Console } from 'node:console';
import inspector from 'node:inspector';
import type { Command } from 'commander';
import { sourceExcerpt, topFrame } from '../lib/user-stack.ts';
import type { Replay, ReplayEnd } from '../sdk/replay.ts';
import { withInterrupt } from './interrupt.ts';
import { addJson, type CommonOptions, parseCount } from './options.ts';
import { say, writeData, writeJson } from './output.ts';
import { renderReplayEnd, renderReplayStart } from './render/replay.ts';
import { stderrPaint } from './render/style.ts';
import { storeUriOf } from './store-uri.ts';

interface ReplayFlags extends CommonOptions {
  readonly store: string;
  readonly attempt?: number;
  readonly head: number;
  readonly inspect?: true | number;
}

const inspectorPortDefault = 9229;
const pairsShown = 10;
const failedExitCode = 1;

export function define(command: Command): void {
  command
    .argument('<ID>', 'the id that submit printed')
    .argument('<TASK>', 'a map task, such as m3, or a reduce task that failed, such as r0')
    .requiredOption('--store <URL>', "the coordinator's store: file:///dir or s3://bucket/prefix")
    .option('--attempt <N>', 'as this attempt (default: the last one that failed)', parseCount)
    .option(
      '--head <N>',
      'print the first N pairs that map yields, or records of reduce',
      parseCount,
      pairsShown,
    )
    .option(
      '--inspect [PORT]',
      `wait for a debugger on 127.0.0.1 (default: ${inspectorPortDefault}; 0: any free port)`,
      parseCount,
    );
  addJson(command, 'print how it ended');
  command.addHelpText(
    'after',
    '\nReads the store and the input with your own credentials and changes neither. The first bad record ends it, whatever the job may skip.' +
      '\nThe input of a reduce is kept when it first fails by an error of the job, a lack of memory or a timeout (256 MiB at most).' +
      '\nExit code 1: it failed (again).\n\nExample:\n  millrace replay 0b5a… m3 --store s3://millrace/state --inspect',
  );
  command.action((id: string, task: string, flags: ReplayFlags) =>
    withInterrupt((signal) => replay(id, task, flags, signal)),
  );
}

async function replay(id: string, task: string, flags: ReplayFlags, signal: AbortSignal): Promise<void> {
  const { replayTask } = await import('../sdk/replay.ts');
  process.setSourceMapsEnabled(true);
  // What the job prints is for the person; stdout is data.
  globalThis.console = new Console(process.stderr);
  const { attempt, head, json, inspect } = flags;
  const end = await replayTask({
    storeUri: storeUriOf(flags.store).replace(/\/?$/, '/'),
    jobId: id,
    task,
    attempt,
    pairsMax: head,
    signal,
    onLog: (line) => say(`log  ${line}`),
    onStart: (started) => begin(started, inspect),
  });
  const { replay: replayed, bundleCode, ...shown } = end;
  if (json) await writeJson({ task: replayed.name, past: replayed.past ?? null, ...shown });
  else for (const pair of end.pairs) if (!(await writeData(`${pair}\n`))) break;
  say(renderReplayEnd(end, excerptOf(end), stderrPaint()).join('\n'));
  if (end.failure) process.exitCode = failedExitCode;
}

function begin(started: Replay, inspect: ReplayFlags['inspect']): void {
  say(renderReplayStart(started, stderrPaint()).join('\n'));
  if (inspect === undefined) return;
  inspector.open(inspect === true ? inspectorPortDefault : inspect, '127.0.0.1');
  say(
    `waiting for a debugger at ${inspector.url()}: open chrome://inspect, or attach from your editor; ` +
      'its "pause on exceptions" stops at the record',
  );
  waitForDebugger();
}

/** It blocks this thread, where a handler of Ctrl-C would never run: meanwhile the signals end the process by themselves. */
function waitForDebugger(): void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const handlers = signals.map((name) => ({ name, listeners: process.listeners(name) }));
  for (const { name } of handlers) process.removeAllListeners(name);
  inspector.waitForDebugger();
  for (const { name, listeners } of handlers) for (const listener of listeners) process.on(name, listener);
}

function excerptOf({ failure, bundleCode }: ReplayEnd): string | undefined {
  if (failure?.kind !== 'user-error') return undefined;
  const frame = topFrame(failure.stack);
  return frame && sourceExcerpt(bundleCode, frame.file, frame.line);
}
