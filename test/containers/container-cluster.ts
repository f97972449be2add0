/** MinIO, its set-up, a coordinator and workers in containers, as docker-compose.yml describes them, and what breaks a worker. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  getContainerRuntimeClient,
  Network,
  type StartedNetwork,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import { ensureEnvFile } from '../../scripts/cluster/env-file.ts';
import { type Client, connect } from '../../sdk/client.ts';
import { type BuiltImage, buildImage } from './build-image.ts';
import { type ComposeService, readComposeServices } from './compose-services.ts';
import { ServiceContainer } from './service-container.ts';

// Ryuk would have to be pulled; what is started here is ended here.
process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';

export class ContainerCluster implements AsyncDisposable {
  /** As root. */
  readonly s3: S3Client;
  readonly client: Client;
  readonly #stack: AsyncDisposableStack;
  readonly #network: StartedNetwork;
  readonly #worker: ComposeService;

  private constructor(
    stack: AsyncDisposableStack,
    network: StartedNetwork,
    worker: ComposeService,
    s3: S3Client,
    client: Client,
  ) {
    this.#stack = stack;
    this.#network = network;
    this.#worker = worker;
    this.s3 = s3;
    this.client = client;
  }

  /** Without workers. `coordinatorEnv` goes over what docker-compose.yml says. */
  static async start(coordinatorEnv: Readonly<Record<string, string>> = {}): Promise<ContainerCluster> {
    await using starting = new AsyncDisposableStack();
    const { services, values, image } = prepare();
    starting.use(image);
    const network = starting.use(await new Network().start());
    const start = async (container: ServiceContainer) => starting.use(await container.start());

    const minio = new ServiceContainer(services.minio!, network).withNetworkAliases('minio');
    const minioStarted = await start(minio.readyAt('/minio/health/ready', 9000));
    const setUp = new ServiceContainer(services.setup!, network);
    await start(setUp.withWaitStrategy(Wait.forOneShotStartup()));
    const coordinator = new ServiceContainer(services.coordinator!, network).withNetworkAliases(
      'coordinator',
    );
    coordinator.withEnvironment(coordinatorEnv).withExposedPorts(7450);
    const coordinatorStarted = await start(coordinator.readyAt('/readyz', 7451));

    const s3 = new S3Client({
      endpoint: `http://127.0.0.1:${minioStarted.getMappedPort(9000)}`,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: {
        accessKeyId: values.MINIO_ROOT_USER ?? '',
        secretAccessKey: values.MINIO_ROOT_PASSWORD ?? '',
      },
    });
    starting.defer(() => s3.destroy());
    const client = starting.use(
      connect({
        coordinator: `127.0.0.1:${coordinatorStarted.getMappedPort(7450)}`,
        token: values.MILLRACE_CLIENT_TOKEN,
      }),
    );
    return new ContainerCluster(starting.move(), network, services.worker!, s3, client);
  }

  async startWorkers(count: number): Promise<WorkerContainer[]> {
    return Promise.all(Array.from({ length: count }, () => this.#startWorker()));
  }

  async #startWorker(): Promise<WorkerContainer> {
    const container = new ServiceContainer(this.#worker, this.#network);
    const started = await container.withWaitStrategy(Wait.forLogMessage(/serves on/)).start();
    return this.#stack.use(new WorkerContainer(started, this.#network));
  }

  async putInput(key: string, body: string | Uint8Array): Promise<void> {
    await this.s3.send(new PutObjectCommand({ Bucket: 'input', Key: key, Body: body }));
  }

  /** The names below a prefix of the bucket `output`, and the bytes of each. */
  async readOutput(prefix: string): Promise<Record<string, Buffer>> {
    const listed = await this.s3.send(new ListObjectsV2Command({ Bucket: 'output', Prefix: `${prefix}/` }));
    const keys = (listed.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key]));
    const entries = keys.map(async (Key): Promise<[string, Buffer]> => {
      const { Body } = await this.s3.send(new GetObjectCommand({ Bucket: 'output', Key }));
      return [Key.slice(prefix.length + 1), Buffer.from((await Body?.transformToByteArray()) ?? [])];
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

export class WorkerContainer implements AsyncDisposable {
  readonly #container: StartedTestContainer;
  readonly #network: StartedNetwork;
  #isGone = false;

  constructor(container: StartedTestContainer, network: StartedNetwork) {
    this.#container = container;
    this.#network = network;
  }

  /** What the names of its workers begin with. */
  get host(): string {
    return this.#container.getId().slice(0, 12);
  }

  async kill(): Promise<void> {
    await (await this.#inEngine()).kill({ signal: 'SIGKILL' });
  }

  async pause(): Promise<void> {
    await (await this.#inEngine()).pause();
  }

  async unpause(): Promise<void> {
    await (await this.#inEngine()).unpause();
  }

  async disconnect(): Promise<void> {
    const network = (await getContainerRuntimeClient()).network.getById(this.#network.getId());
    await network.disconnect({ Container: this.#container.getId(), Force: true });
  }

  /** Whether the kernel ended it for its memory. */
  async wasOutOfMemory(): Promise<boolean> {
    return (await (await this.#inEngine()).inspect()).State.OOMKilled;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isGone) return;
    this.#isGone = true;
    const { State } = await (await this.#inEngine()).inspect();
    if (State.Paused) await this.unpause();
    await this.#container.stop({ timeout: 0, remove: true, removeVolumes: true });
  }

  async #inEngine() {
    return (await getContainerRuntimeClient()).container.getById(this.#container.getId());
  }
}

function prepare(): {
  services: Record<string, ComposeService>;
  values: Readonly<Record<string, string>>;
  image: BuiltImage;
} {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-containers-'));
  try {
    const image = buildImage();
    const values = { ...ensureEnvFile(join(folder, '.env')), MILLRACE_IMAGE: image.tag };
    return { services: readComposeServices(values), values, image };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
