/** What is measured of the process, once for all coordinators in it: the observers behind these live as long as it does. */
import { type ELDHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

const samplingMs = 10;

/** Gauges called like counters, which promtool refuses; each is the sum of another. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

let registry: Registry | undefined;

/** Begins to measure at the first call. */
export function measureProcess(): Registry {
  registry ??= observe();
  return registry;
}

function observe(): Registry {
  const created = new Registry();
  collectDefaultMetrics({ register: created });
  for (const name of misnamed) created.removeSingleMetric(name);
  const delay = monitorEventLoopDelay({ resolution: samplingMs });
  delay.enable();
  new Gauge({
    name: 'mr_eventloop_delay_seconds',
    help: 'How late timers of the coordinator ran since the last scrape.',
    labelNames: ['stat'],
    registers: [created],
    collect() {
      for (const [stat, ns] of readDelay(delay)) this.set({ stat }, ns / 1e9);
      delay.reset();
    },
  });
  return created;
}

/** Nanoseconds over what was asked for. Without a sample since the reset there is no mean, and nothing was late. */
function readDelay(delay: ELDHistogram): [string, number][] {
  const stats: [string, number][] = [
    ['mean', delay.mean],
    ['p50', delay.percentile(50)],
    ['p99', delay.percentile(99)],
    ['max', delay.max],
  ];
  const late = (ns: number) => (delay.count === 0 ? 0 : Math.max(0, ns - samplingMs * 1e6));
  return stats.map(([stat, ns]) => [stat, late(ns)]);
}
