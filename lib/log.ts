/** Structured logs: JSON lines on stderr by pino; silent when a caller wants no log (tests, `millrace run`). */
import { destination, type Logger, pino } from 'pino';

export type Log = Logger;

/** What `--log-level` takes. */
export type LogLevel = 'debug' | 'info' | 'warn';

export function createLog(name: string, level: LogLevel | 'silent'): Log {
  return pino({ name, level }, destination({ dest: 2, sync: true }));
}
