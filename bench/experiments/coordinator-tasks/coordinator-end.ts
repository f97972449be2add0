/** A real coordinator, with its journal in a folder. Forked by coordinator-tasks.ts; its first argument is a {@link CoordinatorPlan} as JSON. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startCoordinator } from '../../../coordinator/main.ts';
import type { CoordinatorPlan, CoordinatorUse } from './messages.ts';

const timerMs = 5;
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const { storeUri } = JSON.parse(process.argv[2]!) as CoordinatorPlan;
const coordinator = await startCoordinator({ listen: '127.0.0.1:0', storeUri });
const stalls = monitorEventLoopDelay({ resolution: timerMs });
let cpu = process.cpuUsage();

function lateMs(delayNs: number): number {
  return Math.max(0, delayNs / 1e6 - timerMs);
}

process.on('message', () => {
  const { user, system } = process.cpuUsage(cpu);
  stalls.disable();
  collectGarbage();
  const use: CoordinatorUse = {
    cpuSeconds: (user + system) / 1e6,
    heapBytes: process.memoryUsage().heapUsed,
    stallP99Ms: lateMs(stalls.percentile(99)),
    stallMsMax: lateMs(stalls.max),
  };
  stalls.reset();
  stalls.enable();
  cpu = process.cpuUsage();
  process.send!(use);
});
process.on('disconnect', () => process.exit());
process.send!(coordinator.address);
