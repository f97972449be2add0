/** Where durable decisions go before their effects run: in memory for tests, or appended to a file. */
import { mkdirSync, readdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError } from '../lib/errors.ts';
import type { PersistRecord } from './core/effects.ts';

export interface Journal extends AsyncDisposable {
  /** Of this start of the coordinator; greater than that of any start before it on the same folder. */
  readonly epoch: number;
  /** Resolves when all records are durable, in order. Throws when they may not be: the coordinator then stops. */
  append(records: readonly PersistRecord[]): Promise<void>;
}

export class MemoryJournal implements Journal {
  readonly epoch = 1;
  readonly records: PersistRecord[] = [];

  async append(records: readonly PersistRecord[]): Promise<void> {
    this.records.push(...records);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.records.length = 0;
  }
}

/** One file per start, `journal/<epoch>.jsonl`, created exclusively: two starts never share an epoch. One JSON record a line. */
export class FileJournal implements Journal {
  readonly epoch: number;
  readonly #file: FileHandle;

  private constructor(epoch: number, file: FileHandle) {
    this.epoch = epoch;
    this.#file = file;
  }

  static async open(folder: string): Promise<FileJournal> {
    try {
      mkdirSync(folder, { recursive: true });
      let epoch = 1 + Math.max(0, ...readdirSync(folder).map((name) => Number.parseInt(name, 10) || 0));
      for (;;) {
        const path = join(folder, `${String(epoch).padStart(8, '0')}.jsonl`);
        try {
          return new FileJournal(epoch, await open(path, 'wx'));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
          epoch++;
        }
      }
    } catch (error) {
      const { code, message } = MillraceError.from(error, 'store-failed');
      throw new MillraceError(code, `the journal cannot be opened (--store): ${message}`, { cause: error });
    }
  }

  async append(records: readonly PersistRecord[]): Promise<void> {
    await this.#file.appendFile(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    await this.#file.datasync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
