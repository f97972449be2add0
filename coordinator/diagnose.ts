/**
 * The coordinator's part of `millrace doctor`: it examines its store, asks every worker to read from it and to reach its
 * peers, and compares versions and clocks. Bounded: one diagnosis at a time, each answer waited for only so long.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import type { WorkerView } from '../lib/cluster-view.ts';
import { compareClocks, compareVersions } from '../lib/compare-processes.ts';
import type { Diagnosis, DiagnosisReport, Finding } from '../lib/diagnosis.ts';
import { examine } from '../lib/examine.ts';
import { toWorkerId, type WorkerId } from '../lib/ids.ts';
import { limits } from '../lib/limits.ts';
import { thisProcess } from '../lib/process-id.ts';
import type { Stores } from '../lib/store/resolve.ts';
import type { Store, StoreLocation } from '../lib/store/store.ts';
import { formatDurationMs } from '../lib/units.ts';
import { softwareVersion } from '../lib/version.ts';
import type { Diagnose } from '../proto/gen/millrace/v1/Diagnose.ts';

/** What a worker answered, checked. */
export interface WorkerAnswer {
  readonly id: string;
  readonly clockMs: number;
  readonly softwareVersion: string;
  readonly nodeVersion: string;
  readonly findings: readonly Finding[];
}

export type DiagnosedWorker = Pick<WorkerView, 'workerId' | 'state' | 'host' | 'fetchAddress'>;

export interface DiagnosePorts {
  readonly clock: Clock;
  readonly stores: Stores;
  /** With a trailing slash. */
  readonly storeUri: string;
  /** Of this start, which leads. */
  readonly epoch: number;
  /** lib/store/probe.ts: every check below a prefix, everything removed afterwards. */
  probeStore(store: Store, prefix: string): Promise<Finding[]>;
  /** Those not lost, whether their streams are up or not. */
  workers(): readonly DiagnosedWorker[];
  send(workerId: WorkerId, diagnose: Diagnose): void;
  /** For Ping between workers. */
  pingTicket(): string;
}

const storeTimeoutMs = 15_000;
const probeTimeoutMs = 30_000;
/** Longer than a worker may take for its own checks. */
const answerTimeoutMs = 20_000;

export class Diagnoser {
  readonly #ports: DiagnosePorts;
  readonly #leadsSinceMs: number;
  readonly #waiting = new Map<WorkerId, (answer: WorkerAnswer, aheadMs: number) => void>();
  #running: Promise<DiagnosisReport> | undefined;
  #id = '';

  constructor(ports: DiagnosePorts) {
    this.#ports = ports;
    this.#leadsSinceMs = ports.clock.now();
  }

  /** Who asks while a diagnosis is under way gets that one. */
  run(): Promise<DiagnosisReport> {
    this.#running ??= this.#diagnose().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** An answer that nobody waits for any more changes nothing. */
  answered(workerId: WorkerId, answer: WorkerAnswer): void {
    const aheadMs = answer.clockMs - this.#ports.clock.now();
    if (answer.id === this.#id) this.#waiting.get(workerId)?.(answer, aheadMs);
  }

  async #diagnose(): Promise<DiagnosisReport> {
    const { clock, stores, storeUri } = this.#ports;
    this.#id = randomUUID();
    const folder = stores.locate(`${storeUri}doctor/${this.#id}/`);
    const note = await this.#leaveNote(folder);
    const workers = shuffled(this.#ports.workers());
    const asked = workers.slice(0, limits.diagnosedWorkersMax);
    const noteUri = note.ok ? noteOf(folder).uri : '';
    const [probed, answers] = await Promise.all([
      this.#probe(folder),
      Promise.all(asked.map((worker, i) => this.#ask(worker, peersOf(i, asked), noteUri))),
    ]);
    const removed = await this.#removeNote(folder);
    const trouble = [note, removed].filter(({ ok }) => !ok);
    const own: Diagnosis = {
      where: 'coordinator',
      softwareVersion: softwareVersion(),
      nodeVersion: process.version,
      clockMs: clock.now(),
      findings: [this.#lead(), ...trouble, ...probed, workersFinding(workers, asked.length)],
    };
    const diagnoses = [own, ...answers.sort((a, b) => (a.where < b.where ? -1 : 1))];
    return { ok: diagnoses.every(({ findings }) => findings.every(({ ok }) => ok)), diagnoses };
  }

  #lead(): Finding {
    const { clock, epoch } = this.#ports;
    const { host, pid } = thisProcess;
    const since = new Date(this.#leadsSinceMs).toISOString();
    const forMs = clock.now() - this.#leadsSinceMs;
    const detail = `process ${pid} on ${host} leads since ${since} (${formatDurationMs(forMs)}), epoch ${epoch}`;
    return { check: 'lead', ok: true, detail, ms: 0 };
  }

  async #probe({ store, key }: StoreLocation): Promise<readonly Finding[]> {
    let findings: readonly Finding[] = [];
    const all = await examine('store', this.#ports.clock, probeTimeoutMs, async () => {
      findings = await this.#ports.probeStore(store, key);
      return 'examined';
    });
    return all.ok ? findings : [all];
  }

  /** Staged, so that `sweep` knows the folders that had to be made for it, and removes them. */
  #leaveNote(folder: StoreLocation): Promise<Finding> {
    return examine('store: write for the workers', this.#ports.clock, storeTimeoutMs, async () => {
      const writer = await folder.store.stage(noteOf(folder).key, this.#id);
      await writer.write(Buffer.from(this.#id));
      await folder.store.publish(await writer.seal());
      return 'written';
    });
  }

  #removeNote(folder: StoreLocation): Promise<Finding> {
    return examine('store: clean up', this.#ports.clock, storeTimeoutMs, async () => {
      const { key } = noteOf(folder);
      await folder.store.remove(key);
      await folder.store.sweep(folder.key, this.#id, [key]);
      return 'removed';
    });
  }

  async #ask(
    worker: DiagnosedWorker,
    peers: readonly DiagnosedWorker[],
    storeUri: string,
  ): Promise<Diagnosis> {
    if (worker.state === 'disconnected') {
      const why = 'its log says why it does not come back (--coordinator and credentials there)';
      return silent(worker, 0, `its session is broken; ${why}`);
    }
    const { clock } = this.#ports;
    const workerId = toWorkerId(worker.workerId);
    const answered = Promise.withResolvers<Diagnosis>();
    this.#waiting.set(workerId, (answer, aheadMs) => answered.resolve(judged(worker, answer, aheadMs)));
    const cancel = clock.after(answerTimeoutMs, () => {
      const waited = formatDurationMs(answerTimeoutMs);
      answered.resolve(
        silent(worker, answerTimeoutMs, `no answer within ${waited}: it is stopped or cut off`),
      );
    });
    this.#ports.send(workerId, {
      id: this.#id,
      storeUri,
      peers: peers.map((peer) => ({
        worker: peer.workerId,
        host: peer.host,
        fetchAddress: peer.fetchAddress,
      })),
      ticket: this.#ports.pingTicket(),
    });
    const diagnosis = await answered.promise;
    cancel();
    this.#waiting.delete(workerId);
    return diagnosis;
  }
}

function noteOf(folder: StoreLocation): { key: string; uri: string } {
  return { key: `${folder.key}note`, uri: `${folder.uri}note` };
}

function silent({ workerId, host }: DiagnosedWorker, ms: number, why: string): Diagnosis {
  return {
    where: workerId,
    softwareVersion: '',
    nodeVersion: '',
    clockMs: null,
    findings: [{ check: 'answer', ok: false, detail: `worker ${workerId} on ${host}: ${why}`, ms }],
  };
}

function judged({ workerId }: DiagnosedWorker, answer: WorkerAnswer, aheadMs: number): Diagnosis {
  const { softwareVersion: version, nodeVersion, clockMs, findings } = answer;
  return {
    where: workerId,
    softwareVersion: version,
    nodeVersion,
    clockMs,
    findings: [compareVersions(version, softwareVersion()), compareClocks(aheadMs), ...findings],
  };
}

function workersFinding(workers: readonly DiagnosedWorker[], asked: number): Finding {
  const check = 'workers';
  if (workers.length === 0) {
    const detail =
      'no worker is connected, so no task runs: start one with millrace worker --coordinator HOST:PORT ' +
      '(MILLRACE_COORDINATOR); one that cannot join says why on its log';
    return { check, ok: false, detail, ms: 0 };
  }
  const states = new Map<string, number>();
  for (const { state } of workers) states.set(state, (states.get(state) ?? 0) + 1);
  const counts = [...states].map(([state, count]) => `${count} ${state}`).join(', ');
  const some = asked < workers.length ? `; ${asked} of them asked` : '';
  const pairs = asked - 1 - peersEach(asked);
  const sampled =
    pairs > 0 ? `; each asked for ${peersEach(asked)} peers of ${asked - 1}, others each time` : '';
  return { check, ok: true, detail: `${counts}${some}${sampled}`, ms: 0 };
}

/** How many peers each of so many workers is to reach. */
function peersEach(workers: number): number {
  return Math.min(workers - 1, Math.max(1, Math.floor(limits.diagnosedPairsMax / workers)));
}

/** The next ones round the list, so that each worker asks, and is asked, equally often. */
function peersOf(index: number, workers: readonly DiagnosedWorker[]): DiagnosedWorker[] {
  return Array.from(
    { length: peersEach(workers.length) },
    (_, k) => workers[(index + 1 + k) % workers.length]!,
  );
}

/** So that another sample of pairs is taken each time. */
function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
