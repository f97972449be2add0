/** `MILLRACE_*` for every flag: `--slot-memory` is MILLRACE_SLOT_MEMORY. A flag wins over the environment, that over the default. */
import { Command, type Option } from 'commander';

const falsy = ['', '0', 'false', 'no', 'off'];

export function variableOf(option: Pick<Option, 'long'>): string {
  return `MILLRACE_${(option.long ?? '').replace(/^--/, '').replaceAll('-', '_').toUpperCase()}`;
}

/** A command whose options read the environment. An empty variable counts as not set, and a switch is on unless its variable says no. */
export class EnvironmentCommand extends Command {
  override createCommand(name?: string): Command {
    return new EnvironmentCommand(name);
  }

  // Here and not later: commander looks for the variable's name only when the option is added.
  override addOption(option: Option): this {
    const value = process.env[variableOf(option)]?.trim().toLowerCase();
    const off = option.isBoolean() ? value !== undefined && falsy.includes(value) : value === '';
    if (!off) option.env(variableOf(option));
    return super.addOption(option);
  }
}
