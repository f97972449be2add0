/** Whether the tests with containers can run: without a Docker engine they are skipped, loudly; with `CI=true` that is a failure. */
import { spawnSync } from 'node:child_process';

export function findDocker(): boolean {
  const asked = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { encoding: 'utf8' });
  if (asked.status === 0) return true;
  const why = (asked.error?.message ?? asked.stderr).trim().split('\n').at(-1);
  if (process.env.CI === 'true') throw new Error(`the tests with containers need Docker: ${why}`);
  console.error(`SKIPPED: the tests with containers, because Docker cannot be used: ${why}`);
  return false;
}
