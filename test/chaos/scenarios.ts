/** What is done to the network while a job runs, each with a name. What lasts, lasts so long and is then healed. */
import { storeNode } from './chaos-cluster.ts';
import type { LaneFault } from './lane.ts';
import { clientNode, type Network } from './network.ts';

/** Who is who when it begins. */
export interface Stage {
  readonly network: Network;
  readonly leader: string;
  readonly standby: string;
  readonly workers: readonly string[];
  /** All of these, the store and the client. */
  readonly everyone: readonly string[];
}

export interface Scenario {
  readonly name: string;
  /** The part of the job's life that it begins in. */
  readonly when: 'mapping' | 'reducing' | 'committing';
  readonly lastsMs: number;
  /** Undone and done again so often, for `lastsMs` each; default once. */
  readonly times?: number;
  readonly begin: (stage: Stage) => void;
}

const hold: LaneFault = { kind: 'hold' };
const cut: LaneFault = { kind: 'cut' };
/** Of the cluster that these are run on: how long a leader, and a worker, may be silent. */
export const leaseMs = 2_000;
export const heartbeatTimeoutMs = 3_000;
/** Past both, with time for what follows from that. */
const longMs = 7_000;
const shortMs = 1_200;

const worker = (stage: Stage, number: number) => stage.workers[number - 1]!;

const ofWorkers: Scenario[] = [
  {
    name: 'one worker from everyone, past its lease',
    ...{ when: 'mapping', lastsMs: longMs },
    begin: (stage) => stage.network.between([worker(stage, 1)], stage.everyone, hold),
  },
  {
    name: 'one worker from everyone while reducing, past its lease',
    ...{ when: 'reducing', lastsMs: longMs },
    begin: (stage) => stage.network.between([worker(stage, 1)], stage.everyone, hold),
  },
  {
    name: 'one worker from everyone by resets, shorter than its lease',
    ...{ when: 'mapping', lastsMs: shortMs },
    begin: (stage) => stage.network.between([worker(stage, 1)], stage.everyone, cut),
  },
  {
    name: 'a worker flaps',
    ...{ when: 'mapping', lastsMs: 600, times: 5 },
    begin: (stage) => stage.network.between([worker(stage, 2)], stage.everyone, cut),
  },
  {
    name: 'one worker from the leader alone',
    ...{ when: 'mapping', lastsMs: longMs },
    begin: (stage) => stage.network.between([worker(stage, 1)], [stage.leader], hold),
  },
  {
    name: 'what one worker says to the leader is lost, not what it hears',
    ...{ when: 'mapping', lastsMs: longMs },
    begin: (stage) => stage.network.oneWay(worker(stage, 1), stage.leader, hold),
  },
  {
    name: 'what the leader says to one worker is lost, not what it hears',
    ...{ when: 'mapping', lastsMs: longMs },
    begin: (stage) => stage.network.oneWay(stage.leader, worker(stage, 1), hold),
  },
  {
    name: 'one worker from the store',
    ...{ when: 'mapping', lastsMs: longMs },
    begin: (stage) => stage.network.between([worker(stage, 1)], [storeNode], hold),
  },
];

const betweenWorkers: Scenario[] = [
  {
    name: 'two workers from each other',
    ...{ when: 'mapping', lastsMs: longMs },
    begin: (stage) => stage.network.between([worker(stage, 1)], [worker(stage, 2)], hold),
  },
  {
    name: 'every worker from every other by resets',
    ...{ when: 'mapping', lastsMs: longMs },
    begin: (stage) => stage.network.between(stage.workers, stage.workers, cut),
  },
  {
    name: 'a partial triangle: the second worker from the first and the third',
    ...{ when: 'mapping', lastsMs: longMs },
    begin: (stage) => stage.network.between([worker(stage, 2)], stage.workers, hold),
  },
  {
    name: 'what one worker serves to another is lost, not what is asked',
    ...{ when: 'mapping', lastsMs: longMs },
    begin: (stage) => stage.network.oneWay(worker(stage, 1), worker(stage, 2), hold),
  },
  {
    name: 'streams between workers break after 300 bytes',
    ...{ when: 'mapping', lastsMs: 500, times: 6 },
    begin: ({ network, workers }) => network.between(workers, workers, { kind: 'cut-after', bytes: 300 }),
  },
];

const ofCoordinators: Scenario[] = [
  {
    name: 'the leader from everyone',
    ...{ when: 'mapping', lastsMs: longMs },
    begin: (stage) => stage.network.between([stage.leader], stage.everyone, hold),
  },
  {
    name: 'the leader from everyone while reducing',
    ...{ when: 'reducing', lastsMs: longMs },
    begin: (stage) => stage.network.between([stage.leader], stage.everyone, hold),
  },
  {
    name: 'the leader from everyone while committing',
    ...{ when: 'committing', lastsMs: longMs },
    begin: (stage) => stage.network.between([stage.leader], stage.everyone, hold),
  },
  {
    name: 'the leader from the store, not from its workers',
    ...{ when: 'mapping', lastsMs: longMs },
    begin: (stage) => stage.network.between([stage.leader], [storeNode], hold),
  },
  {
    name: 'answers of the store to the leader are lost, not its requests',
    ...{ when: 'mapping', lastsMs: longMs },
    begin: (stage) => stage.network.oneWay(storeNode, stage.leader, hold),
  },
  {
    name: 'the leader from its workers, not from the store',
    ...{ when: 'mapping', lastsMs: longMs },
    begin: (stage) => stage.network.between([stage.leader], stage.workers, hold),
  },
  {
    name: 'the standby from everyone',
    ...{ when: 'mapping', lastsMs: longMs },
    begin: (stage) => stage.network.between([stage.standby], stage.everyone, hold),
  },
  {
    name: 'halves: leader and one worker, standby and the others with the store',
    ...{ when: 'mapping', lastsMs: longMs },
    begin: (stage) => {
      const some = [stage.leader, worker(stage, 1)];
      stage.network.between(
        some,
        stage.everyone.filter((node) => !some.includes(node) && node !== clientNode),
        hold,
      );
    },
  },
];

const ofTheStore: Scenario[] = [
  {
    name: 'the store from everyone',
    ...{ when: 'reducing', lastsMs: longMs },
    begin: (stage) => stage.network.between([storeNode], stage.everyone, hold),
  },
  {
    name: 'the store from everyone by resets while committing',
    ...{ when: 'committing', lastsMs: longMs },
    begin: (stage) => stage.network.between([storeNode], stage.everyone, cut),
  },
  {
    name: 'the store flaps',
    ...{ when: 'mapping', lastsMs: 600, times: 6 },
    begin: (stage) => stage.network.between([storeNode], stage.everyone, cut),
  },
  {
    name: 'the store at 5 KB/s',
    ...{ when: 'mapping', lastsMs: longMs },
    begin: ({ network, everyone }) =>
      network.between([storeNode], everyone, { kind: 'slow', bytesPerSecond: 5_000 }),
  },
  {
    name: 'a quarter of a second more on every link',
    ...{ when: 'mapping', lastsMs: longMs },
    begin: ({ network, everyone }) => network.between(everyone, everyone, { kind: 'delay', ms: 250 }),
  },
];

export const scenarios: readonly Scenario[] = [
  ...ofWorkers,
  ...betweenWorkers,
  ...ofCoordinators,
  ...ofTheStore,
];
