/** `MILLRACE_*` for every flag: `--slot-memory` is MILLRACE_SLOT_MEMORY. A flag wins over the environment, that over the default. */
import type { Command, Option } from 'commander';

const withoutVariable = ['--help', '--version'];
const falsy = ['', '0', 'false', 'no', 'off'];

export function variableOf(option: Pick<Option, 'long'>): string {
  return `MILLRACE_${(option.long ?? '').replace(/^--/, '').replaceAll('-', '_').toUpperCase()}`;
}

/** An empty variable counts as not set, and a switch is on unless its variable says no. */
export function addEnvironment(command: Command, environment: NodeJS.ProcessEnv = process.env): void {
  for (const option of command.options) {
    if (option.long && withoutVariable.includes(option.long)) continue;
    const value = environment[variableOf(option)]?.trim();
    const off = option.isBoolean() ? falsy.includes(value?.toLowerCase() ?? '') : value === '';
    if (!off) option.env(variableOf(option));
  }
}
