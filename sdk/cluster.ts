/** What operators ask of a coordinator: its cluster, and to drain a worker. */
import type { ClusterView } from '../lib/cluster-view.ts';
import type { ClusterReply__Output } from '../proto/gen/millrace/v1/ClusterReply.ts';
import type { OperatorClient } from '../proto/gen/millrace/v1/Operator.ts';
import { parseClusterView } from './convert.ts';
import { callOnce, type WaitOptions } from './rpc.ts';

const answerTimeoutMs = 20_000;

export interface OperatorConnection {
  readonly service: OperatorClient;
  /** HOST:PORT of the coordinator. */
  readonly address: string;
}

export async function askCluster(
  { service, address }: OperatorConnection,
  { signal }: WaitOptions,
): Promise<ClusterView> {
  const { viewJson } = await callOnce<ClusterReply__Output>(
    (done) => service.cluster({}, { deadline: Date.now() + answerTimeoutMs }, done),
    address,
    signal,
  );
  return parseClusterView(viewJson);
}

/** The cluster with the worker draining. */
export async function askDrain(
  { service, address }: OperatorConnection,
  worker: string,
  { signal }: WaitOptions,
): Promise<ClusterView> {
  const { viewJson } = await callOnce<ClusterReply__Output>(
    (done) => service.drain({ worker }, { deadline: Date.now() + answerTimeoutMs }, done),
    address,
    signal,
  );
  return parseClusterView(viewJson);
}
