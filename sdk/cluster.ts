/** What operators ask of a coordinator: its cluster, and to drain a worker. */
import type { ClusterView } from '../lib/cluster-view.ts';
import type { ClusterReply__Output } from '../proto/gen/millrace/v1/ClusterReply.ts';
import { parseClusterView } from './convert.ts';
import type { Coordinators } from './coordinators.ts';
import type { WaitOptions } from './rpc.ts';

const answerTimeoutMs = 20_000;

export async function askCluster(coordinators: Coordinators, { signal }: WaitOptions): Promise<ClusterView> {
  const { viewJson } = await coordinators.ask<ClusterReply__Output>(
    ({ operator }, done) => operator.cluster({}, { deadline: Date.now() + answerTimeoutMs }, done),
    signal,
  );
  return parseClusterView(viewJson);
}

/** The cluster with the worker draining. */
export async function askDrain(
  coordinators: Coordinators,
  worker: string,
  { signal }: WaitOptions,
): Promise<ClusterView> {
  const { viewJson } = await coordinators.ask<ClusterReply__Output>(
    ({ operator }, done) => operator.drain({ worker }, { deadline: Date.now() + answerTimeoutMs }, done),
    signal,
  );
  return parseClusterView(viewJson);
}
