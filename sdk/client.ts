/** `connect`: the client of a coordinator. */
import { parseAddresses } from '../lib/address.ts';
import type { ClusterView, WorkerView } from '../lib/cluster-view.ts';
import type { DiagnosisReport } from '../lib/diagnosis.ts';
import { toJobId } from '../lib/ids.ts';
import type { SubmittedSpec } from '../lib/job-spec.ts';
import type { JobView } from '../lib/job-view.ts';
import {
  type Credentials,
  compileCredentials,
  credentialsOfEnvironment,
} from '../lib/security/credentials.ts';
import type { TlsOptions } from '../lib/security/tls.ts';
import { createStores } from '../lib/store/resolve.ts';
import type { Bundle } from './bundle.ts';
import { askCluster, askDrain } from './cluster.ts';
import { parseJobView } from './convert.ts';
import { Coordinators } from './coordinators.ts';
import { JobHandle } from './handle.ts';
import type { Job, OutputOf } from './job-types.ts';
import { parseDiagnosisReport } from './parse-diagnosis.ts';
import { throwIfAborted, type WaitOptions } from './rpc.ts';
import type { SubmitOptions } from './submit-options.ts';

export const coordinatorDefault = '127.0.0.1:7450';

export interface ConnectOptions {
  /** HOST:PORT, or several with commas, of which one leads; default `MILLRACE_COORDINATOR`, else 127.0.0.1:7450. */
  readonly coordinator?: string | undefined;
  /** The cluster's client token; default `MILLRACE_TOKEN`, or the text of the file that `MILLRACE_TOKEN_FILE` names. */
  readonly token?: string | undefined;
  /**
   * Files, or PEM text: `ca` that the coordinator's certificate must be of, `cert` and `key` of a client where it demands one;
   * default `MILLRACE_TLS_CA`, `MILLRACE_TLS_CERT` and `MILLRACE_TLS_KEY`. None of them: no TLS.
   */
  readonly tls?: TlsOptions | undefined;
}

export interface ListOptions extends WaitOptions {
  /** At most so many, newest first; default and maximum 1000. */
  readonly limit?: number;
}

const answerTimeoutMs = 20_000;
/** A large bundle over a slow line, and the checks of the output folder. */
const submitTimeoutMs = 120_000;
/** Longer than the coordinator takes for its own checks and waits for its workers'. */
const diagnoseTimeoutMs = 70_000;
const chunkBytes = 1024 * 1024;

/**
 * Connects lazily: nothing is sent before the first call. Close it, or let `await using` do so.
 *
 *     await using client = connect();
 *     const handle = await client.submit(job, { input: 'logs/*.gz', output: 'out/' });
 *     for await (const [word, n] of handle.result()) console.log(word, n);
 *
 * Throws `invalid-argument` for an address, token or certificate that is none, `not-found` for a file that is not there.
 */
export function connect(options: ConnectOptions = {}): Client {
  const ofEnvironment = credentialsOfEnvironment(process.env);
  const credentials = compileCredentials({
    ...(options.token === undefined ? ofEnvironment : { token: options.token }),
    tls: options.tls ?? ofEnvironment.tls,
  });
  return connectWith(
    credentials,
    options.coordinator ?? (process.env.MILLRACE_COORDINATOR || coordinatorDefault),
  );
}

/**
 * With these credentials, whatever the environment says.
 * @internal
 */
export function connectWith(shown: Credentials, text: string): Client {
  const addresses = parseAddresses(text, 'the coordinator (--coordinator, MILLRACE_COORDINATOR)');
  return new Client(new Coordinators(addresses, shown));
}

export class Client implements AsyncDisposable {
  readonly #coordinators: Coordinators;
  readonly #stores = createStores();

  /**
   * Use {@link connect}.
   * @internal
   */
  constructor(coordinators: Coordinators) {
    this.#coordinators = coordinators;
  }

  /** HOST:PORT of the coordinator; of several, the one that answered last. */
  get address(): string {
    return this.#coordinators.address;
  }

  /**
   * Bundles the job file, sends it and starts the job. `job` is what `defineJob` returned (its file is bundled, not the object in
   * memory: nothing of this process's state goes along), or the path of a job file.
   * Throws `job-file` for a file that cannot be bundled or loaded, and whatever the checks at submit refuse.
   */
  async submit<J extends Job | string>(
    job: J,
    options: SubmitOptions & WaitOptions,
  ): Promise<JobHandle<J extends string ? unknown : OutputOf<J>>> {
    throwIfAborted(options.signal);
    const { prepareJob } = await import('./prepare-job.ts');
    const { bundle, spec } = await prepareJob(job, options);
    return this.submitPrepared(bundle, spec, options);
  }

  /** The second half of {@link submit}, for who has bundled and checked already. */
  async submitPrepared<Out>(
    bundle: Pick<Bundle, 'code'>,
    spec: SubmittedSpec,
    options: WaitOptions = {},
  ): Promise<JobHandle<Out>> {
    const chunks = chunksOf(JSON.stringify(spec), Buffer.from(bundle.code));
    const { jobId } = await this.#coordinators.askLeader<{ jobId: string }>(({ client }, done) => {
      const call = client.submit({ deadline: Date.now() + submitTimeoutMs }, done);
      // A refusal ends the call while chunks are still being written; the callback has the reason.
      call.on('error', () => undefined);
      const pump = () => {
        for (let next = chunks.next(); !next.done; next = chunks.next()) {
          if (!call.write(next.value)) {
            call.once('drain', pump);
            return;
          }
        }
        call.end();
      };
      pump();
      return call;
    }, options.signal);
    return new JobHandle<Out>(toJobId(jobId), this.#connection());
  }

  /** The handle of a job that was submitted before, here or elsewhere. Asks nothing: an unknown id shows at the first call. */
  get<Out = unknown>(id: string): JobHandle<Out> {
    return new JobHandle<Out>(toJobId(id), this.#connection());
  }

  /** All jobs the coordinator knows, newest first. */
  async list(options: ListOptions = {}): Promise<JobView[]> {
    const { viewsJson } = await this.#coordinators.ask<{ viewsJson: string[] }>(
      ({ client }, done) =>
        client.list({ limit: options.limit ?? 0 }, { deadline: Date.now() + answerTimeoutMs }, done),
      options.signal,
    );
    return viewsJson.map(parseJobView);
  }

  /** What `millrace doctor` asks the coordinator: its store, its workers, and whether they reach each other. Takes up to a minute. */
  async diagnose(options: WaitOptions = {}): Promise<DiagnosisReport> {
    const { reportJson } = await this.#coordinators.ask<{ reportJson: string }>(
      ({ doctor }, done) => doctor.diagnose({}, { deadline: Date.now() + diagnoseTimeoutMs }, done),
      options.signal,
    );
    return parseDiagnosisReport(reportJson);
  }

  /** The cluster as it is now: its workers, and what runs and waits. */
  async cluster(options: WaitOptions = {}): Promise<ClusterView> {
    return askCluster(this.#coordinators, options);
  }

  /** Every worker that is not lost. */
  async workers(options: WaitOptions = {}): Promise<readonly WorkerView[]> {
    return (await this.cluster(options)).workers;
  }

  /**
   * Asks a worker to leave: it is given nothing new, finishes what it runs, serves its map outputs until no reduce needs them, and ends.
   * Does not wait for that: gives the cluster with the worker draining. `worker` is its id, or a beginning of its id or host that only
   * one has.
   * Throws `not-found`, and `invalid-argument` for a name that several have.
   */
  async drain(worker: string, options: WaitOptions = {}): Promise<ClusterView> {
    return askDrain(this.#coordinators, worker, options);
  }

  async close(): Promise<void> {
    this.#coordinators.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #connection() {
    return { coordinators: this.#coordinators, stores: this.#stores };
  }
}

/** The spec in the first chunk, the bundle over as many as it takes. */
function* chunksOf(specJson: string, bundle: Buffer): Generator<{ specJson?: string; bundle: Buffer }, void> {
  yield { specJson, bundle: bundle.subarray(0, chunkBytes) };
  for (let at = chunkBytes; at < bundle.length; at += chunkBytes)
    yield { bundle: bundle.subarray(at, at + chunkBytes) };
}
