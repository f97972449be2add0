import { expect, test } from 'vitest';
import { toJobId, toWorkerId } from '../../lib/ids.ts';
import type { AttemptSums, JobEvent } from '../../lib/job-event.ts';
import { makeClusterView, makeWorkerView } from '../../test/cluster-view-fixture.ts';
import { type Family, parseExposition } from '../../test/metrics/exposition.ts';
import { Metrics } from './metrics.ts';

const jobId = toJobId('j1');
const empty = makeClusterView();
const worker = makeWorkerView({
  workerId: 'w1',
  slots: 2,
  slotsUsed: 1,
  rssBytes: 100,
  memoryBytesMax: 1_000,
  cpuFraction: 0.5,
  scratchBytes: 30,
  scratchBytesMax: 100,
});
const sums: AttemptSums = {
  inputRecords: 10,
  inputBytes: 1_000,
  outputRecords: 20,
  outputBytes: 500,
  spills: 2,
  spillBytes: 700,
  fetchMs: 250,
};

const metricsOf = () => new Metrics('1.2.3');

async function scrape(metrics: Metrics, cluster = empty): Promise<Map<string, Family>> {
  return parseExposition(await metrics.text(cluster));
}

/** The value of the sample with exactly these labels. */
function value(
  families: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const family = families.get(name) ?? families.get(name.replace(/_(count|sum)$/, ''));
  const same = JSON.stringify(labels);
  return family?.samples.find((one) => one.name === name && JSON.stringify(one.labels) === same)?.value;
}

function ended(event: Partial<Extract<JobEvent, { type: 'attempt-ended' }>>): JobEvent {
  return {
    atMs: 5,
    jobId,
    type: 'attempt-ended',
    task: 'm0',
    attempt: 0,
    worker: 'w1',
    outcome: 'done',
    durationMs: 1_500,
    failure: null,
    sums,
    ...event,
  };
}

test('every family is there before anything happened, in the format Prometheus reads', async () => {
  const families = await scrape(metricsOf());
  expect([...families.keys()].filter((name) => name.startsWith('mr_')).sort()).toMatchInlineSnapshot(`
    [
      "mr_build_info",
      "mr_eventloop_delay_seconds",
      "mr_grpc_connections_refused_total",
      "mr_jobs",
      "mr_leader",
      "mr_map_differences_total",
      "mr_records_total",
      "mr_s3_request_duration_seconds",
      "mr_s3_requests_total",
      "mr_scheduler_delay_seconds",
      "mr_shuffle_damaged_segments_total",
      "mr_shuffle_fetch_wait_seconds_total",
      "mr_shuffle_read_bytes_total",
      "mr_shuffle_written_bytes_total",
      "mr_spill_bytes_total",
      "mr_spills_total",
      "mr_task_attempts_total",
      "mr_task_duration_seconds",
      "mr_tasks",
      "mr_worker_cpu_cores",
      "mr_worker_lost_total",
      "mr_worker_memory_bytes",
      "mr_worker_scratch_bytes",
      "mr_worker_scratch_fullest_ratio",
      "mr_worker_slots",
      "mr_workers",
    ]
  `);
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_heap_size_used_bytes',
  ])
    expect(families.has(name)).toBe(true);
  expect(value(families, 'mr_build_info', { version: '1.2.3', node_version: process.versions.node })).toBe(1);
});

test('attempts that end are counted by phase and outcome, and what the done ones did is summed', async () => {
  const metrics = metricsOf();
  metrics.jobs.count(ended({}));
  metrics.jobs.count(ended({ task: 'r0', sums: { ...sums, inputBytes: 400 } }));
  metrics.jobs.count(
    ended({ task: 'r1', outcome: 'failed', sums: null, failure: { kind: 'internal', message: 'x' } }),
  );
  const families = await scrape(metrics);
  expect(value(families, 'mr_task_attempts_total', { phase: 'map', outcome: 'done' })).toBe(1);
  expect(value(families, 'mr_task_attempts_total', { phase: 'reduce', outcome: 'failed' })).toBe(1);
  expect(value(families, 'mr_task_duration_seconds_count', { phase: 'map' })).toBe(1);
  expect(value(families, 'mr_task_duration_seconds_sum', { phase: 'map' })).toBe(1.5);
  expect(value(families, 'mr_records_total', { phase: 'map', dir: 'in' })).toBe(10);
  expect(value(families, 'mr_records_total', { phase: 'reduce', dir: 'out' })).toBe(20);
  expect(value(families, 'mr_shuffle_written_bytes_total')).toBe(500);
  expect(value(families, 'mr_shuffle_read_bytes_total')).toBe(400);
  expect(value(families, 'mr_shuffle_fetch_wait_seconds_total')).toBe(0.5);
  expect(value(families, 'mr_spills_total')).toBe(4);
  expect(value(families, 'mr_spill_bytes_total')).toBe(1_400);
});

test('maps that differ are counted', async () => {
  const metrics = metricsOf();
  const difference = { task: 'm0', partitions: [1], attempts: [] };
  metrics.jobs.count({ atMs: 5, jobId, type: 'map-differed', ...difference });
  expect(value(await scrape(metrics), 'mr_map_differences_total')).toBe(1);
});

test('damaged segments are counted by what broke them', async () => {
  const metrics = metricsOf();
  const of = { atMs: 0, jobId, task: 'm0', attempt: 0, worker: 'w1', reduce: 'r0', detail: '' };
  metrics.jobs.count({ ...of, type: 'segment-damaged', where: 'transit' });
  metrics.jobs.count({ ...of, type: 'segment-damaged', where: 'disk' });
  expect(value(await scrape(metrics), 'mr_shuffle_damaged_segments_total', { where: 'store' })).toBe(0);
  metrics.jobs.count({ ...of, type: 'segment-damaged', where: 'store' });
  const place = { map: 0, mapAttempt: 0, worker: toWorkerId('w1'), message: '' };
  for (const kind of ['corrupt-segment', 'corrupt-copy'] as const) {
    metrics.jobs.count(ended({ task: 'r0', outcome: 'failed', sums: null, failure: { kind, ...place } }));
  }
  const families = await scrape(metrics);
  const counts = ['disk', 'transit', 'copy', 'store'].map((where) =>
    value(families, 'mr_shuffle_damaged_segments_total', { where }),
  );
  expect(counts).toEqual([2, 1, 1, 1]);
});

test('the maps of a map-only job write nothing to the shuffle', async () => {
  const metrics = metricsOf();
  metrics.jobs.count({ atMs: 1, jobId, type: 'job-planned', maps: 1, reduces: 0, inputBytes: 1 });
  metrics.jobs.count(ended({}));
  expect(value(await scrape(metrics), 'mr_shuffle_written_bytes_total')).toBe(0);
  metrics.jobs.count({ atMs: 1, jobId, type: 'job-state', state: 'COMPLETED', cause: null });
  metrics.jobs.count(ended({}));
  expect(value(await scrape(metrics), 'mr_shuffle_written_bytes_total')).toBe(500);
});

test('the wait of a task for its slot is observed when its attempt starts', async () => {
  const metrics = metricsOf();
  metrics.jobs.count({
    ...{ atMs: 1, jobId, type: 'attempt-started', task: 'm0', attempt: 0, worker: 'w1', reason: 'first' },
    waitedMs: 300,
  });
  expect(value(await scrape(metrics), 'mr_scheduler_delay_seconds_count')).toBe(1);
});

test('gauges are those of the cluster at the scrape', async () => {
  const families = await scrape(metricsOf(), {
    ...empty,
    slots: 4,
    slotsUsed: 3,
    jobs: { MAPPING: 2, COMPLETED: 1 },
    maps: { pending: 7, running: 1, completed: 2, failed: 3 },
    workers: [worker, { ...worker, state: 'draining', scratchBytes: 90 }],
  });
  expect(value(families, 'mr_jobs', { state: 'MAPPING' })).toBe(2);
  expect(value(families, 'mr_jobs', { state: 'FAILED' })).toBe(0);
  expect(value(families, 'mr_tasks', { phase: 'map', state: 'pending' })).toBe(7);
  expect(value(families, 'mr_tasks', { phase: 'reduce', state: 'running' })).toBe(0);
  expect(value(families, 'mr_workers', { state: 'draining' })).toBe(1);
  expect(value(families, 'mr_workers', { state: 'quarantined' })).toBe(0);
  expect(value(families, 'mr_worker_slots', { state: 'used' })).toBe(3);
  expect(value(families, 'mr_worker_slots', { state: 'free' })).toBe(1);
  expect(value(families, 'mr_worker_memory_bytes', { kind: 'rss' })).toBe(200);
  expect(value(families, 'mr_worker_memory_bytes', { kind: 'limit' })).toBe(2_000);
  expect(value(families, 'mr_worker_scratch_bytes', { kind: 'held' })).toBe(120);
  expect(value(families, 'mr_worker_scratch_fullest_ratio')).toBe(0.9);
  expect(value(families, 'mr_worker_cpu_cores')).toBe(1);
});

test('lost workers and S3 requests are counted by reason, operation and code', async () => {
  const metrics = metricsOf();
  metrics.workerLosses.count('silent');
  metrics.storeRequests.count('PutObject', 200, 20);
  metrics.storeRequests.count('PutObject', 'ECONNRESET', 20);
  const families = await scrape(metrics);
  expect(value(families, 'mr_worker_lost_total', { reason: 'silent' })).toBe(1);
  expect(value(families, 'mr_worker_lost_total', { reason: 'left' })).toBe(0);
  expect(value(families, 'mr_s3_requests_total', { op: 'PutObject', code: 'ECONNRESET' })).toBe(1);
  expect(value(families, 'mr_s3_request_duration_seconds_count', { op: 'PutObject' })).toBe(2);
});

test('labels are of small sets: no job, task, worker or address', async () => {
  const metrics = metricsOf();
  metrics.jobs.count(ended({ task: 'm17', worker: 'w-secret' }));
  const text = await metrics.text({ ...empty, workers: [worker] });
  for (const label of text.matchAll(/([a-z_]+)="/g))
    expect([
      'where',
      'phase',
      'outcome',
      'state',
      'kind',
      'dir',
      'le',
      'reason',
      'stat',
      'op',
      'code',
      'version',
      'node_version',
      'type',
      'space',
      'major',
      'minor',
      'patch',
    ]).toContain(label[1]);
  expect(text).not.toMatch(/m17|w-secret|w1|j1/);
});
