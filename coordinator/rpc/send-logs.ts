/** Log lines to one client, as fast as it reads: what it does not take in time is dropped, oldest first, and a line says so. */
import type { ServerWritableStream } from '@grpc/grpc-js';
import { limits } from '../../lib/limits.ts';
import type { LogChunk } from '../../proto/gen/millrace/v1/LogChunk.ts';
import type { LogsRequest__Output } from '../../proto/gen/millrace/v1/LogsRequest.ts';
import type { LogEntry } from '../job-logs.ts';

type LogsCall = ServerWritableStream<LogsRequest__Output, LogChunk>;

const entriesPerMessageMax = 1_000;
/** A character may take three bytes. */
const charsPerMessageMax = limits.grpcMessageBytesMax / 8;

export class LogSender {
  readonly #call: LogsCall;
  #waiting: LogEntry[] = [];
  #waitingChars = 0;
  #isEnding = false;

  constructor(call: LogsCall) {
    this.#call = call;
    call.on('drain', () => this.#flush());
  }

  send(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      this.#waiting.push(entry);
      this.#waitingChars += entry.text.length;
    }
    if (this.#waitingChars > limits.logBytesPerJobMax) this.#dropOldest();
    this.#flush();
  }

  /** Ends the call when all is sent. */
  end(): void {
    this.#isEnding = true;
    this.#flush();
  }

  #dropOldest(): void {
    let dropped = 0;
    while (this.#waitingChars > limits.logBytesPerJobMax / 2) {
      this.#waitingChars -= this.#waiting[dropped++]!.text.length;
    }
    const text = `${dropped} lines were dropped: they came faster than they were read`;
    const note = { task: '', attempt: 0, atMs: this.#waiting[dropped - 1]!.atMs, text };
    this.#waiting = [note, ...this.#waiting.slice(dropped)];
    this.#waitingChars += text.length;
  }

  #flush(): void {
    while (this.#waiting.length > 0 && !this.#call.writableNeedDrain) {
      this.#call.write({ entries: this.#take() });
    }
    if (!this.#isEnding || this.#waiting.length > 0) return;
    this.#isEnding = false;
    this.#call.end();
  }

  /** At least one line. */
  #take(): LogEntry[] {
    let count = 0;
    let chars = 0;
    while (count < this.#waiting.length && count < entriesPerMessageMax) {
      chars += this.#waiting[count]!.text.length;
      if (count > 0 && chars > charsPerMessageMax) break;
      count++;
    }
    const taken = this.#waiting.splice(0, count);
    for (const { text } of taken) this.#waitingChars -= text.length;
    return taken;
  }
}
