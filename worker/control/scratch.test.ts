import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toJobId, toWorkerId } from '../../lib/ids.ts';
import { listDeadWorkers, Scratch } from './scratch.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'scratch-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const attempt = { jobId: toJobId('j1'), kind: 'map', index: 2, attempt: 0, epoch: 3 } as const;

/** The id of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

function leaveFolder(name: string, owner: object): void {
  mkdirSync(join(directory, name));
  writeFileSync(join(directory, name, 'owner.json'), JSON.stringify(owner));
}

describe('Scratch', () => {
  it('gives each attempt a folder and removes it, the job, and all', async () => {
    const scratch = new Scratch(directory, toWorkerId('w1'));
    const path = scratch.makeAttempt(attempt);
    expect(path).toBe(join(directory, 'w1', 'j1', 'm2.0.e3'));
    expect(existsSync(path)).toBe(true);
    await scratch.removeAttempt(attempt);
    expect(existsSync(path)).toBe(false);
    scratch.makeAttempt(attempt);
    await scratch.removeJob(attempt.jobId);
    expect(existsSync(join(directory, 'w1', 'j1'))).toBe(false);
    await scratch.removeAll();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('names the folder and --dir when it cannot be written', () => {
    writeFileSync(join(directory, 'file'), '');
    const bad = join(directory, 'file', 'under');
    let thrown: unknown;
    try {
      new Scratch(bad, toWorkerId('w1'));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'permission-denied', message: expect.stringContaining(bad) });
    expect(String(thrown)).toContain('--dir');
  });
});

describe('listDeadWorkers', () => {
  it('names the folders of dead processes of this host, and nothing else', () => {
    const started = { processStartedAtMs: 1 };
    leaveFolder('dead', { host: hostname(), pid: deadPid(), ...started });
    leaveFolder('same-pid-before', { host: hostname(), pid: process.pid, ...started });
    leaveFolder('alive', { host: hostname(), pid: process.ppid, ...started });
    leaveFolder('elsewhere', { host: 'other-host', pid: deadPid(), ...started });
    mkdirSync(join(directory, 'not-ours'));
    writeFileSync(join(directory, 'file'), '');
    new Scratch(directory, toWorkerId('mine'));
    expect(listDeadWorkers(directory).sort()).toEqual(['dead', 'same-pid-before']);
  });

  it('finds none in a folder that does not exist', () => {
    expect(listDeadWorkers(join(directory, 'none'))).toEqual([]);
  });
});
