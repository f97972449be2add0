/** What the HTTP port answers. */
import type { ClusterView } from '../lib/cluster-view.ts';
import { type HttpAnswer, type HttpRoute, textAnswer } from './http-server.ts';
import type { Metrics } from './metrics/metrics.ts';

export type HttpRoutes = Readonly<Record<string, HttpRoute>>;

export interface Readiness {
  /** False in a standby, and once the journal or the core has failed. */
  isLeading(): boolean;
  isStoreReachable(): boolean;
}

/** For whoever watches the process: `/healthz`, it lives; `/readyz`, it can do its work. */
export function probeRoutes(readiness: Readiness): HttpRoutes {
  return {
    '/healthz': { isOpen: true, answer: () => textAnswer(200, 'ok') },
    '/readyz': { isOpen: true, answer: () => answerReadiness(readiness) },
  };
}

/** `cluster` is asked once a scrape; undefined while this coordinator does not lead. */
export function metricsRoutes(metrics: Metrics, cluster: () => ClusterView | undefined): HttpRoutes {
  const { contentType } = metrics;
  const answer = async () => ({ status: 200, contentType, body: await metrics.text(cluster()) });
  return { '/metrics': { isOpen: false, answer } };
}

/** Each thing that is missing, by its name alone: whoever asks may be anybody. */
function answerReadiness({ isLeading, isStoreReachable }: Readiness): HttpAnswer {
  const missing: string[] = [];
  if (!isLeading()) missing.push('this coordinator does not lead');
  if (!isStoreReachable()) missing.push('the store does not answer');
  return missing.length === 0 ? textAnswer(200, 'ok') : textAnswer(503, `not ready: ${missing.join(', ')}`);
}
