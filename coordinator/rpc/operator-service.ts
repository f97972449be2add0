/** The Operator service: the cluster as it is, and workers that are to be drained. */
import type { ClusterView, WorkerView } from '../../lib/cluster-view.ts';
import { MillraceError } from '../../lib/errors.ts';
import { toWorkerId, type WorkerId } from '../../lib/ids.ts';
import type { ClusterReply } from '../../proto/gen/millrace/v1/ClusterReply.ts';
import type { OperatorHandlers } from '../../proto/gen/millrace/v1/Operator.ts';
import type { Happening } from '../loop.ts';
import { answer } from './answer.ts';

export interface OperatorPorts {
  view(): ClusterView;
  dispatch(happening: Happening): void;
  /** Resolves when everything dispatched so far has been stepped. */
  settled(): Promise<void>;
}

/** Names shown in an error. */
const namesShownMax = 10;

export function operatorHandlers(ports: OperatorPorts): OperatorHandlers {
  return {
    Cluster: (_call, reply) => answer(reply, async () => replyOf(ports.view())),
    Drain: (call, reply) => answer(reply, () => drain(ports, call.request.worker)),
  };
}

async function drain({ view, dispatch, settled }: OperatorPorts, name: string): Promise<ClusterReply> {
  const workerId = findWorker(view().workers, name);
  dispatch({ type: 'drain-requested', workerId, reason: 'an operator asked for it' });
  await settled();
  return replyOf(view());
}

/**
 * The worker whose id this is, or the only one whose id or host begins with it. Throws `not-found` naming the workers there are, and
 * `invalid-argument` naming those that are meant alike.
 */
export function findWorker(
  workers: readonly Pick<WorkerView, 'workerId' | 'host'>[],
  name: string,
): WorkerId {
  if (name === '')
    throw new MillraceError('invalid-argument', 'which worker? give the beginning of its name');
  const exact = workers.filter(({ workerId }) => workerId === name);
  const found =
    exact.length > 0
      ? exact
      : workers.filter(({ workerId, host }) => workerId.startsWith(name) || host.startsWith(name));
  if (found.length === 1) return toWorkerId(found[0]!.workerId);
  const asked = JSON.stringify(name.slice(0, 255));
  if (found.length === 0) {
    const known = workers.length === 0 ? 'no worker is connected' : `there are ${listWorkers(workers)}`;
    throw new MillraceError('not-found', `there is no worker ${asked}: ${known} (millrace workers)`);
  }
  throw new MillraceError(
    'invalid-argument',
    `${asked} may be any of ${found.length} workers: ${listWorkers(found)}; give more of the name`,
  );
}

function listWorkers(workers: readonly Pick<WorkerView, 'workerId' | 'host'>[]): string {
  const names = workers.slice(0, namesShownMax).map(({ workerId }) => workerId);
  const more = workers.length - names.length;
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}

function replyOf(view: ClusterView): ClusterReply {
  return { viewJson: JSON.stringify(view) };
}
