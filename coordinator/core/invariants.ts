/**
 * Everything that must hold after every step, recomputed from scratch: for tests, the simulation and a coordinator that is told to check
 * itself. Walks all tasks. Names I1 to I20 are those of the failure model; I1, I4 to I8 and I13 to I18 are checked elsewhere,
 * by the parts that own the bytes.
 */
import { assert } from '../../lib/assert.ts';
import { formatTask, sameAttempt } from '../../lib/ids.ts';
import { addCounts, noCounts } from '../../lib/segment-digest.ts';
import { holdsSlot, runningAttempts } from './attempts.ts';
import { hasPlace } from './choose-worker.ts';
import { isLocated } from './locations.ts';
import { discardedParts } from './parts.ts';
import { isQuarantined } from './quarantine.ts';
import type { Attempt, CoreState, Job, Task, TaskTable, Worker } from './state.ts';
import { isIsolated, waitingCount } from './tasks.ts';

export function assertInvariants(state: CoreState): void {
  for (const worker of state.workers.values()) checkWorker(state, worker);
  for (const job of state.jobs.values()) {
    assert(
      state.activeJobs.has(job) === (job.phase.name !== 'ended'),
      `job ${job.spec.jobId}: active until it ends`,
    );
    if (job.phase.name !== 'ended') checkJob(state, job);
  }
  checkCluster(state);
}

function checkCluster(state: CoreState): void {
  const workers = [...state.workers.values()];
  const attempts = workers.flatMap((worker) => [...worker.attempts.values()]);
  const offered = workers.filter((worker) => !worker.draining);
  const slots = offered.reduce((sum, worker) => sum + worker.info.slots, 0);
  assert(slots === state.slotsTotal, `${slots} slots, counted ${state.slotsTotal}`);
  const backups = attempts.filter((attempt) => attempt.backup).length;
  assert(backups === state.backupsAlive, `${backups} backups, counted ${state.backupsAlive}`);
  assert(
    offered.length === 0 || offered.some((worker) => !isQuarantined(worker, state.now)),
    'the last worker that does not drain is never quarantined',
  );
  assert(workers.length - offered.length === state.draining.size, 'who drains is counted');
  for (const worker of [...state.withPlace.cpu, ...state.withPlace.fetch])
    assert(state.workers.get(worker.id) === worker, `${worker.id}: it is gone, and has no room`);
}

function checkWorker(state: CoreState, worker: Worker): void {
  const attempts = [...worker.attempts.values()];
  const slotsUsed = attempts.filter(holdsSlot).length;
  // What a worker brings of an earlier coordinator's it says all at once, whether it runs, waits or has just ended.
  const given = attempts.filter((attempt) => attempt.id.epoch === state.config.epoch);
  const cpu = given.filter((attempt) => attempt.task.kind !== 'reduce').length;
  const fetching = given.filter((attempt) => !holdsSlot(attempt)).length;
  const { id, info } = worker;
  assert(slotsUsed === worker.slotsUsed, `${id}: ${slotsUsed} slots held, counted ${worker.slotsUsed}`);
  assert(
    attempts.length - slotsUsed === worker.fetching,
    `${id}: fetching reduces, counted ${worker.fetching}`,
  );
  assert(cpu <= info.slots, `${id}: ${cpu} map and sample attempts on ${info.slots} slots`);
  assert(fetching <= info.slots, `${id}: ${fetching} fetching reduces on ${info.slots} slots`);
  for (const lane of ['cpu', 'fetch'] as const) {
    const isListed = state.withPlace[lane].has(worker);
    assert(isListed === hasPlace(worker, lane), `${id}: whether it has room, ${lane}`);
  }
  if (worker.draining) for (const attempt of attempts) checkFinishes(state, attempt);
  for (const attempt of attempts) {
    assert(attempt.worker === worker, `${id}: an attempt knows its worker`);
    assert(attempt.task.attempts.includes(attempt), `${id}: the task of ${attempt.key} knows it`);
  }
  assert(worker.draining === state.draining.has(worker), `${id}: drains`);
  assert(!worker.drained || attempts.length === 0, `${id}: told to leave, runs nothing`);
  for (const [jobId, maps] of worker.outputs) {
    for (const map of maps) {
      assert(state.jobs.get(jobId)?.map.tasks[map]?.holder === worker, `${id}: holds m${map} of ${jobId}`);
    }
  }
}

/** On a worker that drains, nothing waits for what may never come, once all that comes back is back. */
function checkFinishes({ recovery }: CoreState, { key, job, status, fetch }: Attempt): void {
  if (recovery && job.restored) return;
  if (status !== 'running' || !fetch || fetch.complete) return;
  for (const map of job.map.tasks) {
    assert(isLocated(map) || fetch.fetched.has(map.index), `${key}: drains, and waits for m${map.index}`);
  }
}

function checkJob(state: CoreState, job: Job): void {
  for (const table of [job.sample, job.map, job.reduce]) {
    for (const task of table.tasks) checkTask(state, job, table, task);
    checkTable(job, table);
  }
  if (!isSettled(job)) checkCounters(job);
  checkParts(job);
  checkPhase(state, job);
  checkLocations(state, job);
}

/** Restored while it committed, or since: that its maps are done is the word of the journal alone. */
function isSettled({ restored, phase }: Job): boolean {
  return restored !== undefined && !['listing', 'sampling', 'working'].includes(phase.name);
}

/** I10, and I11 in so far as no task is ever forgotten. */
function checkTask(state: CoreState, job: Job, table: TaskTable, task: Task): void {
  const name = `${job.spec.jobId} ${formatTask(task)}`;
  const running = runningAttempts(task);
  const waits = Object.values(table.waiting).filter((set) => set.has(task.index)).length;
  assert(
    (task.status === 'running') === running.length > 0,
    `${name}: ${task.status} with ${running.length} running`,
  );
  assert(waits === (task.status === 'idle' ? 1 : 0), `${name}: ${task.status}, waits in ${waits} sets`);
  assert(table.running.has(task) === (task.status === 'running'), `${name}: known to run`);
  assert(running.length <= 2, `${name}: one backup at most`);
  assert(task.status !== 'done' || task.accepted || isSettled(job), `${name}: done means accepted`);
  assert(
    task.kind !== 'reduce' || task.status === 'done' || !task.accepted,
    `${name}: a reduce is accepted once`,
  );
  const numbers = new Set(task.attempts.map((attempt) => attempt.id.attempt));
  assert(numbers.size === task.attempts.length, `${name}: attempt numbers are never reused`);
  for (const attempt of task.attempts) checkAttempt(state, task, attempt, name);
}

function checkAttempt(state: CoreState, task: Task, attempt: Attempt, name: string): void {
  const { worker, id } = attempt;
  assert(state.workers.get(worker.id) === worker, `${name}: its attempt runs on a live worker`);
  assert(worker.attempts.get(attempt.key) === attempt, `${name}: its worker knows its attempt`);
  assert(id.attempt < task.attemptsStarted, `${name}: attempt numbers grow`);
  assert(!task.accepted || !sameAttempt(task.accepted.id, id), `${name}: an accepted attempt is over`);
  if (attempt.isolated) assert(worker.isolated === attempt, `${name}: an isolated attempt has its worker`);
  if (isIsolated(state, task) && attempt.status === 'running' && worker.isolated === attempt) {
    const later = [...worker.attempts.values()].filter((other) => other.assignedAtMs > attempt.assignedAtMs);
    assert(later.length === 0, `${name}: nothing is assigned beside an isolated attempt`);
  }
}

function checkTable(job: Job, table: TaskTable): void {
  const name = `${job.spec.jobId} ${table.kind}s`;
  const done = table.tasks.filter((task) => task.status === 'done').length;
  const attempts = table.tasks.flatMap((task) => task.attempts);
  const sum = (read: (attempt: Attempt) => number | undefined) =>
    attempts.reduce((total, attempt) => total + (read(attempt) ?? 0), 0);
  assert(done === table.done, `${name}: ${done} done, counted ${table.done}`);
  assert(done + table.running.size + waitingCount(table) === table.total, `${name}: every task is somewhere`);
  assert(
    attempts.length === table.attemptsAlive,
    `${name}: ${attempts.length} alive, counted ${table.attemptsAlive}`,
  );
  assert(sum((a) => a.progress?.bytesIn) === table.runningBytes, `${name}: bytes read by running attempts`);
  assert(
    sum((a) => a.progress?.recordsIn) === table.runningRecords,
    `${name}: records read by running attempts`,
  );
}

/** I12, and the sums that the audit of I2 compares. */
function checkCounters(job: Job): void {
  const counters = new Map<string, number>();
  for (const table of [job.sample, job.map, job.reduce]) {
    let counts = noCounts;
    for (const { accepted } of table.tasks) {
      if (!accepted) continue;
      counts = addCounts(counts, accepted.counts);
      for (const [name, value] of Object.entries(accepted.counters)) {
        counters.set(name, (counters.get(name) ?? 0) + value);
      }
    }
    for (const what of ['records', 'bytes', 'crc32'] as const) {
      assert(counts[what] === table.counts[what], `${job.spec.jobId}: ${what} of accepted ${table.kind}s`);
    }
  }
  for (const [name, value] of job.counters) {
    const expected = counters.get(name) ?? 0;
    assert(
      Math.abs(expected - value) < 1e-6 * Math.max(1, Math.abs(value)),
      `${job.spec.jobId}: counter ${name}`,
    );
  }
}

/** What is accepted is never dropped. */
function checkParts(job: Job): void {
  const dropped = new Set(discardedParts(job).map(({ token }) => token));
  for (const { kind, index, accepted } of [...job.map.tasks, ...job.reduce.tasks]) {
    const parts = [accepted?.part, accepted?.bad?.part];
    const isKept = parts.every((part) => !part || !dropped.has(part.token));
    assert(isKept, `${job.spec.jobId} ${formatTask({ kind, index })}: its accepted part is to be dropped`);
  }
}

function checkPhase(state: CoreState, job: Job): void {
  const name = `${job.spec.jobId} (${job.phase.name})`;
  const attempts = [job.sample, job.map, job.reduce].flatMap((table) =>
    table.tasks.flatMap((task) => task.attempts),
  );
  assert(
    attempts.length === job.attemptsAlive,
    `${name}: ${attempts.length} attempts, counted ${job.attemptsAlive}`,
  );
  const running = attempts.filter((attempt) => attempt.status === 'running').length;
  const output = job.spec.reducers === 0 ? job.map : job.reduce;
  switch (job.phase.name) {
    case 'sampling':
    case 'working':
      assert(
        job.phase.name === 'sampling' || output.done < output.total || (job.restored?.mapsUnheard ?? 0) > 0,
        `${name}: commits when all is done`,
      );
      return;
    case 'stopping':
      assert(running === 0, `${name}: waits for cancelled attempts only`);
      return assert(attempts.length > 0 || (job.restored && state.recovery), `${name}: waits for something`);
    case 'committing':
      assert(output.done === output.total, `${name}: every part is accepted`);
      return assert(running === 0, `${name}: nothing runs`);
    default:
      return assert(attempts.length === 0, `${name}: no attempt is alive`);
  }
}

/** A lost output is either needed by nobody or its map runs again; and exactly the fetching reduces are told of locations. */
function checkLocations(state: CoreState, job: Job): void {
  if (job.phase.name !== 'working' || job.spec.reducers === 0) return;
  const { jobId } = job.spec;
  const copied = job.map.tasks.filter((map) => map.copied).length;
  assert(copied === job.mapsCopied, `${jobId}: ${copied} maps are copied, counted ${job.mapsCopied}`);
  for (const map of job.map.tasks) {
    const name = `${jobId} ${formatTask(map)}`;
    const { holder } = map;
    assert(!isLocated(map) || map.status === 'done', `${name}: only a done map has an output`);
    assert(!holder || state.workers.get(holder.id) === holder, `${name}: its output is on a live worker`);
    assert(!holder || holder.outputs.get(jobId)?.has(map.index), `${name}: its holder knows it`);
    const unlocated = map.status === 'done' && !isLocated(map);
    assert(job.unlocated.has(map.index) === unlocated, `${name}: done without an output is on the list`);
  }
  assert(
    job.unlocated.size === 0 || waitingCount(job.reduce) === 0,
    `${jobId}: a waiting reduce needs every map`,
  );
  const fetching = job.reduce.tasks
    .flatMap((task) => runningAttempts(task))
    .filter(({ fetch }) => !fetch?.complete);
  const told = [...job.subscribers.values()].flatMap((attempts) => [...attempts]);
  assert(
    told.length === fetching.length,
    `${jobId}: ${fetching.length} reduces fetch, ${told.length} are told`,
  );
  for (const attempt of fetching) {
    assert(
      job.subscribers.get(attempt.worker.id)?.has(attempt),
      `${jobId}: ${attempt.key} hears of locations`,
    );
    for (const map of job.unlocated)
      assert(attempt.fetch?.fetched.has(map), `${jobId}: ${attempt.key} needs m${map}`);
  }
}
