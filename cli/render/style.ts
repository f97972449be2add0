/** Colour for people, when the stream is a terminal and nothing says otherwise. */
import { styleText } from 'node:util';

export type Tone = 'good' | 'bad' | 'dim' | 'strong' | 'warn';

const formats = { good: 'green', bad: 'red', dim: 'dim', strong: 'bold', warn: 'yellow' } as const;

/** Marks a part of a text; the identity where colour is off. */
export type Paint = (tone: Tone, text: string) => string;

export const plain: Paint = (_tone, text) => text;

export const coloured: Paint = (tone, text) => styleText(formats[tone], text, { validateStream: false });

/** NO_COLOR and TERM=dumb switch it off, FORCE_COLOR on (`0` off) even without a terminal; else it follows the terminal. */
export function wantsColour(environment: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if (environment.FORCE_COLOR !== undefined) return !['0', 'false'].includes(environment.FORCE_COLOR);
  if (environment.NO_COLOR) return false;
  return isTerminal && environment.TERM !== 'dumb';
}

export function stderrPaint(): Paint {
  return wantsColour(process.env, process.stderr.isTTY === true) ? coloured : plain;
}

export function stdoutPaint(): Paint {
  return wantsColour(process.env, process.stdout.isTTY === true) ? coloured : plain;
}
