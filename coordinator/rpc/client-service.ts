/** The Client service: what users ask becomes events, views and logs become answers. */
import type { ServerReadableStream, ServerWritableStream } from '@grpc/grpc-js';
import pLimit from 'p-limit';
import type { Clock } from '../../lib/clock.ts';
import { MillraceError } from '../../lib/errors.ts';
import { failpoint } from '../../lib/failpoints.ts';
import { type JobId, parseTask, toJobId } from '../../lib/ids.ts';
import { isTerminal, type JobView } from '../../lib/job-view.ts';
import { limits } from '../../lib/limits.ts';
import type { ClientHandlers } from '../../proto/gen/millrace/v1/Client.ts';
import type { JobReply } from '../../proto/gen/millrace/v1/JobReply.ts';
import type { JobRequest__Output } from '../../proto/gen/millrace/v1/JobRequest.ts';
import type { LogChunk } from '../../proto/gen/millrace/v1/LogChunk.ts';
import type { LogsRequest__Output } from '../../proto/gen/millrace/v1/LogsRequest.ts';
import type { SubmitChunk__Output } from '../../proto/gen/millrace/v1/SubmitChunk.ts';
import type { SubmitReply } from '../../proto/gen/millrace/v1/SubmitReply.ts';
import type { JobLogs } from '../job-logs.ts';
import type { JobWatchers } from '../job-watchers.ts';
import type { Happening } from '../loop.ts';
import { readSubmission, type Submission } from '../read-submission.ts';
import { answer, guard } from './answer.ts';
import { LogSender } from './send-logs.ts';

const watchIntervalMs = 250;
const listedJobsMax = 1_000;

export interface ClientServicePorts {
  readonly clock: Clock;
  readonly jobLogs: JobLogs;
  readonly watchers: JobWatchers;
  /** Checks, writes the job files and starts the job. */
  submit(submission: Submission): Promise<JobId>;
  dispatch(happening: Happening): void;
  /** Resolves when everything dispatched so far has been stepped. */
  settled(): Promise<void>;
  view(jobId: JobId): JobView | undefined;
  list(limit: number): JobView[];
}

export class ClientService {
  readonly #ports: ClientServicePorts;
  readonly #submissions = pLimit(limits.submissionsAtOnceMax);

  constructor(ports: ClientServicePorts) {
    this.#ports = ports;
  }

  readonly handlers: ClientHandlers = {
    Submit: (call, reply) => answer(reply, () => this.#submissions(() => this.#submit(call))),
    Get: (call, reply) => answer(reply, async () => replyOf(this.#view(call.request))),
    List: (call, reply) =>
      answer(reply, async () => {
        const limit = Math.min(call.request.limit || listedJobsMax, listedJobsMax);
        return { viewsJson: this.#ports.list(limit).map((view) => JSON.stringify(view)) };
      }),
    Cancel: (call, reply) => answer(reply, () => this.#cancel(call.request)),
    Watch: (call) => guard(call, () => this.#watch(call)),
    Logs: (call) => guard(call, () => this.#logs(call)),
  };

  async #submit(call: ServerReadableStream<SubmitChunk__Output, SubmitReply>): Promise<SubmitReply> {
    const jobId = await this.#ports.submit(await readSubmission(call, this.#ports.clock));
    failpoint('submit.durable');
    return { jobId };
  }

  async #cancel(request: JobRequest__Output): Promise<JobReply> {
    const view = this.#view(request);
    if (isTerminal(view.state)) {
      throw new MillraceError('wrong-state', `job ${view.jobId} has ended already (${view.state})`);
    }
    this.#ports.dispatch({ type: 'cancel-requested', jobId: view.jobId, reason: 'cancelled by a client' });
    await this.#ports.settled();
    return replyOf(this.#view(request));
  }

  #view(request: { jobId: string }): JobView {
    const view = this.#ports.view(toJobId(request.jobId));
    if (view) return view;
    throw new MillraceError('not-found', `there is no job ${request.jobId} (millrace list shows the jobs)`);
  }

  #watch(call: ServerWritableStream<JobRequest__Output, JobReply>): void {
    const first = this.#view(call.request);
    const { jobId } = first;
    const { clock, watchers } = this.#ports;
    let cancelTimer: (() => void) | undefined;
    let sentAtMs = Number.NEGATIVE_INFINITY;
    const stop = () => {
      unsubscribe();
      cancelTimer?.();
      call.off('drain', changed);
    };
    const send = (view: JobView) => {
      cancelTimer?.();
      cancelTimer = undefined;
      sentAtMs = clock.monotonicMs();
      call.write(replyOf(view));
      if (!isTerminal(view.state)) return;
      stop();
      call.end();
    };
    const forgotten = () => {
      stop();
      call.end();
    };
    const changed = () => {
      // Who does not read has enough to read: the newest view follows when it has.
      if (call.writableNeedDrain) return;
      const view = this.#ports.view(jobId);
      if (!view) return forgotten();
      const waitMs = sentAtMs + watchIntervalMs - clock.monotonicMs();
      if (waitMs <= 0 || isTerminal(view.state)) return send(view);
      cancelTimer ??= clock.after(waitMs, () => {
        cancelTimer = undefined;
        changed();
      });
    };
    const unsubscribe = watchers.watch(jobId, changed);
    call.on('drain', changed);
    call.on('cancelled', stop);
    call.on('close', stop);
    send(first);
  }

  #logs(call: ServerWritableStream<LogsRequest__Output, LogChunk>): void {
    const { task, follow } = call.request;
    const { jobId } = this.#view(call.request);
    if (task !== '' && !parseTask(task)) {
      throw new MillraceError(
        'invalid-argument',
        `--task must be like m3 or r0, got ${JSON.stringify(task)}`,
      );
    }
    const { jobLogs, watchers } = this.#ports;
    const sender = new LogSender(call);
    sender.send(jobLogs.read(jobId, task));
    const ended = () => {
      const view = this.#ports.view(jobId);
      return !view || isTerminal(view.state);
    };
    if (!follow || ended()) {
      sender.end();
      return;
    }
    const stops = [
      jobLogs.follow(jobId, (entry) => {
        if (task === '' || entry.task === task) sender.send([entry]);
      }),
      watchers.watch(jobId, () => {
        if (ended()) finish();
      }),
    ];
    const stop = () => {
      for (const one of stops) one();
    };
    const finish = () => {
      stop();
      sender.end();
    };
    call.on('cancelled', stop);
    call.on('close', stop);
  }
}

function replyOf(view: JobView): JobReply {
  return { viewJson: JSON.stringify(view) };
}
