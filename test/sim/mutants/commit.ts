/** Bugs of parts, and of how they become visible. */
import { outputTable } from '../../../coordinator/core/ending.ts';
import { successName } from '../../../lib/formats.ts';
import { Attempts } from '../../../worker/control/attempts.ts';
import { NodeStore } from '../sim-store.ts';
import { deaf, type Mutant, patchMethod } from './mutant.ts';

const successFirst: Mutant = {
  name: '_SUCCESS is written before the parts',
  patch() {
    const waiting: (() => Promise<void>)[] = [];
    const undoPublish = patchMethod(
      NodeStore.prototype,
      'publish',
      (publish) =>
        async function (this: NodeStore, staged) {
          waiting.push(() => publish.call(this, staged));
        },
    );
    const undoPut = patchMethod(
      NodeStore.prototype,
      'putIfAbsent',
      (putIfAbsent) =>
        async function (this: NodeStore, key, bytes) {
          const isWritten = await putIfAbsent.call(this, key, bytes);
          if (key.endsWith(successName)) for (const publish of waiting.splice(0)) await publish();
          return isWritten;
        },
    );
    return () => {
      undoPublish();
      undoPut();
    };
  },
};

/** The worker drops what it is told to have lost. */
function answeredAsLost(kind: 'map' | 'reduce', name: string): Mutant {
  return {
    name,
    patch: () =>
      patchMethod(
        Attempts.prototype,
        'onAnswer',
        (onAnswer) =>
          function (this: Attempts, id, accepted) {
            onAnswer.call(this, id, id.kind === kind ? false : accepted);
          },
      ),
  };
}

export const commitMutants: readonly Mutant[] = [
  successFirst,
  answeredAsLost('reduce', 'a part that was accepted is dropped'),
  answeredAsLost('map', 'a map output that was accepted is dropped'),
  {
    name: 'the store ignores conditions',
    patch: () =>
      patchMethod(
        NodeStore.prototype,
        'putIfAbsent',
        () =>
          async function (this: NodeStore, key, bytes) {
            await this.put(key, bytes);
            return true;
          },
      ),
  },
  {
    name: 'publishing is not waited for',
    patch: () =>
      patchMethod(
        NodeStore.prototype,
        'publish',
        (publish) =>
          async function (this: NodeStore, staged) {
            publish.call(this, staged).catch(() => undefined);
          },
      ),
  },
  {
    name: 'workers publish what they have staged',
    patch: () =>
      patchMethod(
        NodeStore.prototype,
        'stage',
        (stage) =>
          async function (this: NodeStore, key, owner) {
            const writer = await stage.call(this, key, owner);
            const seal = async () => {
              const staged = await writer.seal();
              await this.publish(staged);
              return staged;
            };
            return { ...writer, seal };
          },
      ),
  },
  { name: 'a publication that failed is not heard', event: deaf('publish-failed') },
  {
    name: 'parts of attempts that lost are forgotten',
    effect(effect) {
      if (effect.type === 'publish-output') return { ...effect, discards: [], unsure: [] };
      if (effect.type === 'discard-output') return { ...effect, parts: [], unsure: [] };
      return effect.type === 'discard-part' ? null : undefined;
    },
  },
  {
    name: 'what may be staged and nobody was told of is not looked for',
    plan: { 'worker killed': 0.2, 'worker restarted': 0.2, 'coordinator killed': 0.1, 'store slow': 0.2 },
    effect: (effect) =>
      effect.type === 'publish-output' || effect.type === 'discard-output'
        ? { ...effect, unsure: [], unsureMaps: [] }
        : undefined,
  },
  {
    name: 'a job that was cancelled publishes what it has',
    effect(effect, state) {
      const job = effect.type === 'discard-output' ? state.jobs.get(effect.spec.jobId) : undefined;
      if (effect.type !== 'discard-output' || !job || !('outcome' in job.phase)) return undefined;
      if (job.phase.outcome.state !== 'CANCELLED') return undefined;
      const parts = outputTable(job).tasks.flatMap(({ accepted }) => accepted?.part ?? []);
      const success = {
        inputRecords: 0,
        inputBytes: 0,
        intermediateRecords: 0,
        intermediateBytes: 0,
        counters: {},
      };
      return { ...effect, type: 'publish-output', parts, discards: [], success };
    },
  },
  {
    name: 'the last part is left out',
    effect: (effect) =>
      effect.type === 'publish-output' ? { ...effect, parts: effect.parts.slice(0, -1) } : undefined,
  },
  {
    name: 'the first two parts are swapped',
    effect(effect) {
      if (effect.type !== 'publish-output') return undefined;
      const [first, second, ...rest] = effect.parts;
      return first && second ? { ...effect, parts: [second, first, ...rest] } : undefined;
    },
  },
  {
    name: 'the first split is mapped twice',
    event: (event) =>
      event.type === 'splits-listed'
        ? { ...event, splits: [...event.splits.slice(0, 1), ...event.splits] }
        : undefined,
  },
  {
    name: 'the last split is forgotten',
    event: (event) =>
      event.type === 'splits-listed' ? { ...event, splits: event.splits.slice(0, -1) } : undefined,
  },
];
