/**
 * The shuffle of one stream against plain node:http2 that sends the same bytes of the same files with the same window, in the same round: the worker's own
 * serving and fetching ends in a process each, over loopback. The fetch checks what it takes and keeps it in memory as a reduce does; plain
 * HTTP/2 only counts. Two reduces on one host but of different workers fetch like this; one fetches from its own worker by reading the file.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificates } from '../../lib/security/make-certificates.ts';
import type { TlsOptions } from '../../lib/security/tls.ts';
import type { Findings, Result } from '../result.ts';
import type { Experiment, ExperimentContext } from './experiment.ts';
import { Forked } from './forked.ts';
import {
  type FetchedBytes,
  type FetchOrder,
  type ServedBytes,
  type ServePlan,
  type Via,
  vias,
  type Wire,
  wires,
} from './shuffle-stream/messages.ts';

const name = 'shuffle-stream';
const segments = 16;
const segmentBytes = 16_000_000;
/** A transfer takes less than a second, and a process is as fast as it gets after a few of them. */
const roundsMin = 5;
const warmUps = 2;

export const shuffleStream: Experiment = {
  name,
  title: 'Shuffle of one stream, against plain node:http2',
  expectedSeconds: (runs) => 10 + 4 * Math.max(runs, roundsMin),
  whyNot: () => undefined,
  run,
};

/** In the order of rounds. */
interface Samples {
  readonly megabytesPerSecond: number[];
  readonly serveCpuPerGigabyte: number[];
  readonly fetchCpuPerGigabyte: number[];
}

async function run({ runs, folder, say }: ExperimentContext): Promise<Findings> {
  const tls = await writeCertificates(folder);
  const plan: ServePlan = { folder, segments, segmentBytes, tls };
  await using serving = new Forked(join(import.meta.dirname, 'shuffle-stream/serve-end.ts'), plan);
  const served = await serving.next<ServedBytes>();
  const fetchPlan = { served, tls, folder };
  await using fetching = new Forked(join(import.meta.dirname, 'shuffle-stream/fetch-end.ts'), fetchPlan);
  const results: Result[] = [];
  const figures: Findings['figures'][number][] = [];
  for (const wire of wires) {
    const samples = await transferAll(serving, fetching, wire, Math.max(runs, roundsMin));
    for (const via of vias) results.push(...resultsOf(samples[via], via, wire));
    const ratios = samples.grpc.megabytesPerSecond.map(
      (rate, at) => rate / samples.http2.megabytesPerSecond[at]!,
    );
    figures.push({ figure: `stream/${wire}`, of: '', samples: ratios });
    say(`${name}, ${wire}: ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')} times as fast as node:http2`);
  }
  return { results, series: [], figures, omissions: [] };
}

async function transferAll(
  serving: Forked,
  fetching: Forked,
  wire: Wire,
  rounds: number,
): Promise<Record<Via, Samples>> {
  const samples = { grpc: noSamples(), http2: noSamples() };
  for (let round = -warmUps; round < rounds; round++) {
    for (const via of round % 2 === 0 ? vias : vias.toReversed()) {
      const before = await serving.ask<NodeJS.CpuUsage>({});
      const order: FetchOrder = { via, wire };
      const { bytes, ms, cpuSeconds } = await fetching.ask<FetchedBytes>(order);
      const after = await serving.ask<NodeJS.CpuUsage>({});
      if (bytes < segments * segmentBytes) throw new Error(`${bytes} bytes came over ${via}`);
      if (round < 0) continue;
      const serveCpu = (after.user + after.system - before.user - before.system) / 1e6;
      samples[via].megabytesPerSecond.push(bytes / 1e3 / ms);
      samples[via].serveCpuPerGigabyte.push((serveCpu / bytes) * 1e9);
      samples[via].fetchCpuPerGigabyte.push((cpuSeconds / bytes) * 1e9);
    }
  }
  return samples;
}

function noSamples(): Samples {
  return { megabytesPerSecond: [], serveCpuPerGigabyte: [], fetchCpuPerGigabyte: [] };
}

function resultsOf(samples: Samples, via: Via, wire: Wire): Result[] {
  const of = {
    group: name,
    subject: via === 'grpc' ? 'millrace' : 'node:http2',
    parameters: { mtls: wire === 'mtls', bytes: segments * segmentBytes },
  };
  const cpu = { ...of, unit: 'CPU s', better: 'lower' } as const;
  return [
    { ...of, metric: 'throughput', unit: 'MB/s', better: 'higher', samples: samples.megabytesPerSecond },
    { ...cpu, metric: 'per GB, serving', samples: samples.serveCpuPerGigabyte },
    { ...cpu, metric: 'per GB, fetching', samples: samples.fetchCpuPerGigabyte },
  ];
}

/** Of workers: both ends show one. */
async function writeCertificates(folder: string): Promise<TlsOptions> {
  const made = await makeCertificates(['127.0.0.1'], 1, Date.now());
  const write = (file: string, text = '') => {
    const path = join(folder, file);
    writeFileSync(path, text);
    return path;
  };
  const worker = made.find((certificate) => certificate.name === 'worker');
  return {
    ca: write('ca.pem', made.find((certificate) => certificate.name === 'ca')?.cert),
    cert: write('worker.pem', worker?.cert),
    key: write('worker-key.pem', worker?.key),
  };
}
