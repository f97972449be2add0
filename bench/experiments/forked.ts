/** A process of an experiment, asked and answering over IPC, one question at a time. It ends when this process closes the channel. */
import { type ChildProcess, fork } from 'node:child_process';

export class Forked implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #file: string;
  readonly #exited: Promise<void>;
  #waiting: PromiseWithResolvers<unknown> | undefined;

  /** `plan` is its first argument, as JSON. `command` goes before `node`, to pin it to a core for one. */
  constructor(file: string, plan: unknown, command: readonly string[] = []) {
    const [execPath = process.execPath, ...before] = command;
    const execArgv = command.length > 0 ? [...before, process.execPath] : [];
    this.#file = file;
    this.#child = fork(file, [JSON.stringify(plan)], { execPath, execArgv });
    this.#child.on('message', (answer) => this.#settle((waiting) => waiting.resolve(answer)));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exited = promise;
    this.#child.on('exit', (code, signal) => {
      this.#settle((waiting) => waiting.reject(new Error(`${this.#file} ended with ${code ?? signal}`)));
      resolve();
    });
  }

  /** What it says unasked. Rejects when it ends instead. */
  next<T>(): Promise<T> {
    this.#waiting = Promise.withResolvers<unknown>();
    return this.#waiting.promise as Promise<T>;
  }

  ask<T>(question: object): Promise<T> {
    const answer = this.next<T>();
    this.#child.send(question);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
  }

  #settle(how: (waiting: PromiseWithResolvers<unknown>) => void): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) how(waiting);
  }
}
