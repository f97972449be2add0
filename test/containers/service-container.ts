/** A container of one service of docker-compose.yml, with all that the file says of it, run by testcontainers. */
import { GenericContainer, type StartedNetwork, Wait } from 'testcontainers';
import type { ComposeService } from './compose-services.ts';

export class ServiceContainer extends GenericContainer {
  constructor(service: ComposeService, network: StartedNetwork) {
    super(service.image);
    this.withEnvironment(service.environment)
      .withNetwork(network)
      .withDroppedCapabilities(...service.cap_drop)
      .withSecurityOpt(...service.security_opt)
      .withResourcesQuota({
        memory: service.memoryBytes / 1024 ** 3,
        ...(service.cpus && { cpu: service.cpus }),
      });
    if (service.entrypoint) this.withEntrypoint([...service.entrypoint]);
    if (service.command) this.withCommand([...service.command]);
    Object.assign(this.hostConfig, {
      Init: true,
      ReadonlyRootfs: service.read_only,
      PidsLimit: service.pids_limit,
      MemorySwap: service.memoryBytes,
      Tmpfs: Object.fromEntries(service.tmpfs.map((mount) => mount.split(/:(.*)/).slice(0, 2))),
    });
    // `NAME:PATH` or `PATH`: here each is a volume of its own that goes with the container.
    const paths = (service.volumes ?? []).map((volume) => volume.replace(/^[^/]*:/, ''));
    this.createOpts.Volumes = Object.fromEntries(paths.map((path) => [path, {}]));
  }

  /** Ready when it answers so. */
  readyAt(path: string, port: number): this {
    return this.withExposedPorts(port).withWaitStrategy(Wait.forHttp(path, port).forStatusCode(200));
  }
}
