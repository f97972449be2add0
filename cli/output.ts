/** stdout is data, stderr is everything else. */
import { once } from 'node:events';

let stdoutGone = false;

/** A reader that has seen enough (`| head`) closes the pipe: that ends the program, quietly and as a success. */
export function guardStdout(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    stdoutGone = true;
  });
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

/** False when nobody reads any more: stop producing. Waits while the reader is slow. */
export async function writeData(data: string | Uint8Array): Promise<boolean> {
  if (!stdoutGone && !process.stdout.write(data)) {
    await Promise.race([once(process.stdout, 'drain'), once(process.stdout, 'close')]).catch(() => undefined);
  }
  return !stdoutGone;
}

/** One JSON document on a line of its own. */
export function writeJson(value: unknown): Promise<boolean> {
  return writeData(`${JSON.stringify(value)}\n`);
}

/** A line, or several, for the person. */
export function say(text: string): void {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Ends the process when all that was written is out; whatever still runs in it is cut off. */
export async function finish(exitCode: number): Promise<never> {
  for (const stream of [process.stdout, process.stderr]) {
    if (!stream.destroyed && stream.writable)
      await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }
  process.exit(exitCode);
}
