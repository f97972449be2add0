import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { toJobId, toWorkerId } from '../../lib/ids.ts';
import { listDeadWorkers, Scratch } from './scratch.ts';
import { ScratchBudget } from './scratch-budget.ts';

let directory: string;
let budget: ScratchBudget;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'scratch-'));
  budget = await ScratchBudget.open({ directory, limitBytes: undefined, clock: systemClock });
});
afterEach(() => {
  budget.close();
  rmSync(directory, { recursive: true });
});

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
    const scratch = new Scratch(budget, toWorkerId('w1'));
    const { path } = scratch.makeAttempt(attempt);
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

  it('counts what an attempt holds until its files are gone, and what lay there before', async () => {
    const scratch = new Scratch(budget, toWorkerId('w1'));
    const { account } = scratch.makeAttempt(attempt);
    await account.take(100, new AbortController().signal);
    scratch.keepAttempt(attempt);
    const other = { ...attempt, jobId: toJobId('j2') };
    scratch.adoptAttempt(other, 20);
    expect(budget.usedBytes).toBe(120);
    await scratch.removeAttempt(attempt);
    expect(budget.usedBytes).toBe(20);
    await scratch.removeJob(other.jobId);
    expect(budget.usedBytes).toBe(0);
  });

  it('names the folder and --dir when it cannot be written', async () => {
    writeFileSync(join(directory, 'file'), '');
    const bad = join(directory, 'file', 'under');
    const opened = ScratchBudget.open({ directory: bad, limitBytes: undefined, clock: systemClock });
    await expect(opened).rejects.toMatchObject({
      code: 'permission-denied',
      message: expect.stringMatching(/file\/under cannot be written .*--dir/),
    });
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
    new Scratch(budget, toWorkerId('mine'));
    expect(listDeadWorkers(directory).sort()).toEqual(['dead', 'same-pid-before']);
  });

  it('finds none in a folder that does not exist', () => {
    expect(listDeadWorkers(join(directory, 'none'))).toEqual([]);
  });
});
