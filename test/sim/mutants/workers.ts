/** Bugs of how workers come, stay and go. */
import { limits } from '../../../lib/limits.ts';
import { Session } from '../../../worker/control/session.ts';
import { type Mutant, mute, patchMethod } from './mutant.ts';

export const workerMutants: readonly Mutant[] = [
  { name: 'workers are not told that a job has ended', effect: mute('send-job-ended') },
  {
    name: 'a worker that was given up is not told',
    plan: { 'worker paused': 0.3, partition: 0.2 },
    effect: mute('send-rejoin'),
  },
  {
    name: 'a worker that drains leaves at once',
    plan: { 'worker drained': 0.4 },
    patch: () =>
      patchMethod(
        Session.prototype,
        'drain',
        (drain) =>
          function (this: Session) {
            drain.call(this);
            void this.close();
          },
      ),
  },
  {
    name: 'outputs of a dead worker are adopted although nobody has looked whether they are there',
    plan: { 'worker restarted': 0.3, 'run file gone': 0.4, 'disk vanished': 0.2 },
    event(event, state) {
      if (event.type !== 'worker-joined' || event.replaces.length === 0) return undefined;
      const believed = [...state.activeJobs].flatMap(({ map }) =>
        map.tasks.flatMap(({ holder, accepted }) =>
          holder && accepted && event.replaces.includes(holder.id) ? [accepted.id] : [],
        ),
      );
      return { ...event, held: [...event.held, ...believed] };
    },
  },
  {
    name: 'outputs that a restarted worker brings are not looked at',
    plan: { 'worker restarted': 0.4 },
    event: (event) => (event.type === 'worker-joined' ? { ...event, held: [] } : undefined),
  },
  {
    name: 'a worker waits for ever for the welcome of a coordinator that stands still',
    plan: { 'coordinator paused': 0.3, 'coordinator deposed': 0.1 },
    patch() {
      const { welcomeTimeoutMs } = limits;
      Object.assign(limits, { welcomeTimeoutMs: 24 * 3_600_000 });
      return () => Object.assign(limits, { welcomeTimeoutMs });
    },
  },
];
