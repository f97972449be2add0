import { describe, expect, it } from 'vitest';
import { measure } from './measure.ts';

const node = (script: string) => measure(process.execPath, ['-e', script], { timeoutMs: 60_000 });

describe.runIf(process.platform === 'linux')('measure', () => {
  it('counts the memory and the CPU time of processes that the command started', async () => {
    // The child spins until it has used 0.3 s of CPU time, holding 100 MB that it wrote to, with its parent idle.
    const child = `const held = Buffer.alloc(100e6, 1); while (process.cpuUsage().user < 300e3); console.log(held.length)`;
    const parent = `require('node:child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'inherit' })`;
    const { cpuSeconds, peakBytes, stdout } = await node(parent);
    expect(cpuSeconds).toBeGreaterThanOrEqual(0.3);
    expect(peakBytes).toBeGreaterThan(130e6);
    expect(stdout).toBe('100000000\n');
  });

  it('fails with what a command said when it fails', async () => {
    await expect(node(`console.error('no such thing'); process.exit(3)`)).rejects.toThrow(
      /ended with 3:\nno such thing/,
    );
  });

  it('ends a command that takes too long, with all that it started', async () => {
    const child = `setInterval(() => undefined, 1000)`;
    const parent = `require('node:child_process').spawnSync(process.execPath, ['-e', '${child}'], { stdio: 'inherit' })`;
    // Its stdout, which the grandchild holds too, would stay open.
    await expect(measure(process.execPath, ['-e', parent], { timeoutMs: 300 })).rejects.toThrow(
      /was killed after 0.3 s/,
    );
  });

  it('fails for a command that there is not', async () => {
    await expect(measure('/nowhere/to/be-found', [])).rejects.toThrow(/ENOENT/);
  });
});
