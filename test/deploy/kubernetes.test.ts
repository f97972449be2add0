/** The manifests of deploy/kubernetes: against the schemas of Kubernetes, and against what this software really reads and needs. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Deployment, type IDeployment, type IStatefulSet, StatefulSet } from 'kubernetes-models/apps/v1';
import { type INetworkPolicy, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, type IContainer, type IService, Namespace, Service } from 'kubernetes-models/v1';
import { expect, test } from 'vitest';
import { parseAllDocuments, parse as parseYaml } from 'yaml';
import { variableOf } from '../../cli/environment.ts';
import { buildProgram } from '../../cli/program.ts';
import { parseBytes, parseDurationMs } from '../../lib/units.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'deploy/kubernetes');
const models = { ConfigMap, Deployment, Namespace, NetworkPolicy, PodDisruptionBudget, Service, StatefulSet };
type Kind = keyof typeof models;

interface Manifest {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

const files = readdirSync(folder).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
const manifests = files.flatMap((name) =>
  parseAllDocuments(read(name)).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  }),
);
const workloads = manifests.filter(
  (manifest): manifest is Manifest & (IDeployment | IStatefulSet) =>
    manifest.kind === 'Deployment' || manifest.kind === 'StatefulSet',
);
const named = (kind: Kind, name: string) => {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
};
const podOf = (workload: (typeof workloads)[number]) => workload.spec!.template.spec!;
const containers = workloads.flatMap((workload) =>
  podOf(workload).containers.map((container) => [workload.metadata.name, container] as const),
);
const worker = workloads.find(({ metadata }) => metadata.name === 'worker')!;

function read(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

function envOf(container: IContainer): Record<string, string | undefined> {
  return Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value]));
}

test.each(manifests.map((one) => [`${one.kind} ${one.metadata.name}`, one] as const))(
  '%s is valid by the schema of its kind',
  (_, manifest) => {
    const Model = models[manifest.kind];
    expect(manifest.apiVersion).toBe(Model.apiVersion);
    new Model(manifest as never).validate();
  },
);

test('the schemas refuse a value of the wrong type', () => {
  const broken = structuredClone(worker) as unknown as IDeployment;
  Object.assign(broken.spec!, { replicas: 'four' });
  expect(() => new Deployment(broken).validate()).toThrow(/replicas/);
});

/** The validators let unknown fields pass, and so would a cluster, with a probe or a limit that is not there. The types do not. */
test('no manifest has a field that Kubernetes does not know', async () => {
  const typed = (of: readonly Manifest[]) =>
    of.map(
      ({ kind, apiVersion, ...fields }, i) =>
        `import type { I${kind} as K${i} } from 'kubernetes-models/${apiVersion}';\n` +
        `export const m${i}: K${i} = ${JSON.stringify({ apiVersion, kind, ...fields })};\n`,
    );
  const misspelt = structuredClone(worker) as unknown as {
    spec: { template: { spec: { containers: object[] } } };
  };
  Object.assign(misspelt.spec.template.spec.containers[0]!, { livenesProbe: {} });
  const broken = misspelt as unknown as Manifest;
  const [right, wrong] = await Promise.all([compile(typed(manifests)), compile(typed([broken]))]);
  expect(right).toBe('');
  expect(wrong).toMatch(/livenesProbe/);
});

async function compile(sources: readonly string[]): Promise<string> {
  // Below the checkout, so that the package is found.
  const typedFolder = await mkdtemp(join(import.meta.dirname, 'typed-'));
  try {
    await writeFile(join(typedFolder, 'manifests.ts'), sources.join(''));
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--pretty', 'false'];
    const args = [compiler, ...options, '--ignoreConfig', join(typedFolder, 'manifests.ts')];
    return await new Promise((resolve) => {
      execFile(process.execPath, args, { cwd: root }, (_error, stdout, stderr) => resolve(stdout + stderr));
    });
  } finally {
    await rm(typedFolder, { recursive: true });
  }
}

test('the kustomization has every file, and pins the image by a version', () => {
  const kustomization = parseYaml(read('kustomization.yaml')) as {
    resources: string[];
    images: { name: string; newTag: string }[];
  };
  expect([...kustomization.resources].sort()).toEqual([...files].sort());
  for (const [, { image }] of containers) {
    const pinned = kustomization.images.find(({ name }) => name === image);
    expect(pinned?.newTag).toMatch(/^\d+\.\d+\.\d+$/);
  }
});

test.each(containers)('%s: limits, probes, and no more rights than it needs', (_, container) => {
  for (const kind of ['requests', 'limits'] as const) {
    expect(Object.keys(container.resources?.[kind] ?? {})).toEqual(expect.arrayContaining(['cpu', 'memory']));
  }
  expect(container.livenessProbe).toBeDefined();
  expect(container.readinessProbe).toBeDefined();
  expect(container.securityContext).toMatchObject({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
});

test.each(workloads.map((one) => [one.metadata.name, one] as const))(
  '%s runs without root and without a token of Kubernetes, and its selector finds it',
  (_, workload) => {
    const pod = podOf(workload);
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.enableServiceLinks).toBe(false);
    expect(workload.spec!.template.metadata!.labels).toMatchObject(workload.spec!.selector.matchLabels!);
  },
);

test.each(containers)('%s: every variable is one that its command reads', async (_, container) => {
  const command = container.args![0]!;
  const program = await buildProgram(command);
  const options = program.commands.find((one) => one.name() === command)!.options;
  const known = new Set([...options.map(variableOf), ...awsVariables, ...tokens[command]!, 'POD_IP']);
  for (const name of Object.keys(envOf(container))) expect([...known]).toContain(name);
});

test('the common settings are read by some command', async () => {
  const program = await buildProgram('coordinator');
  const options = program.commands.find((one) => one.name() === 'coordinator')!.options;
  const known = [...options.map(variableOf), ...awsVariables];
  const { data } = named('ConfigMap', 'millrace') as unknown as { data: Record<string, string> };
  for (const name of Object.keys(data)) expect(known).toContain(name);
});

test('no credential is in a manifest: each comes from a Secret by name', () => {
  for (const [, container] of containers) {
    for (const { name, value } of container.env ?? []) {
      if (/TOKEN|SECRET|ACCESS_KEY/.test(name)) expect(value).toBeUndefined();
    }
  }
  expect(manifests.map(({ kind }) => String(kind))).not.toContain('Secret');
});

test('a worker has time to drain, memory for its slots, and room on its volume', () => {
  const pod = podOf(worker);
  const container = pod.containers[0]!;
  const env = envOf(container);
  const drainMs = parseDurationMs(env.MILLRACE_DRAIN_TIMEOUT!, 'drain timeout');
  expect(pod.terminationGracePeriodSeconds! * 1_000).toBeGreaterThan(drainMs);
  const slotsBytes = Number(env.MILLRACE_SLOTS) * parseBytes(env.MILLRACE_SLOT_MEMORY!, 'slot memory');
  expect(bytesOf(container.resources!.limits!.memory)).toBeGreaterThanOrEqual(slotsBytes + 350 * 1024 ** 2);
  const scratch = pod.volumes!.find(({ name }) => name === 'scratch')!;
  const sizeLimit = bytesOf(scratch.emptyDir!.sizeLimit);
  expect(sizeLimit).toBeGreaterThan(parseBytes(env.MILLRACE_SCRATCH_LIMIT!, 'scratch limit'));
  expect(bytesOf(container.resources!.limits!['ephemeral-storage'])).toBeGreaterThan(sizeLimit);
  expect(container.volumeMounts).toContainEqual({ name: 'scratch', mountPath: env.MILLRACE_DIR });
});

test('services lead to ports that exist', () => {
  for (const service of manifests.filter(({ kind }) => kind === 'Service') as unknown as IService[]) {
    const labels = service.spec!.selector!;
    const target = workloads.find(({ spec }) => isSubset(labels, spec!.template.metadata!.labels!))!;
    const ports = podOf(target).containers.flatMap((container) => container.ports ?? []);
    for (const { port, targetPort } of service.spec!.ports!) {
      expect(ports).toContainEqual({ name: targetPort, containerPort: port });
    }
  }
});

test('nothing is open but what is listed: worker to worker, worker and client to the coordinator, metrics', () => {
  const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy') as unknown as INetworkPolicy[];
  expect(named('NetworkPolicy', 'deny-all')).toMatchObject({
    spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
  });
  const opened = policies.flatMap(({ metadata, spec }) =>
    (spec?.ingress ?? []).map(({ from, ports }) => ({
      to: metadata!.name,
      from: from!.flatMap((peer) =>
        Object.values(peer).flatMap(({ matchLabels }) => Object.values(matchLabels!)),
      ),
      ports: ports!.map(({ port }) => port),
    })),
  );
  expect(opened).toEqual([
    { to: 'coordinator', from: ['worker', 'client', 'allowed'], ports: [7450] },
    { to: 'coordinator', from: ['monitoring'], ports: [7451] },
    { to: 'worker', from: ['worker'], ports: [7452] },
  ]);
});

const awsVariables = ['AWS_ENDPOINT_URL_S3', 'AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
/** Tokens are never flags. */
const tokens: Record<string, string[]> = {
  coordinator: ['MILLRACE_CLIENT_TOKEN', 'MILLRACE_WORKER_TOKEN'],
  worker: ['MILLRACE_TOKEN'],
};

function isSubset(part: Record<string, string>, whole: Record<string, string>): boolean {
  return Object.entries(part).every(([name, value]) => whole[name] === value);
}

/** `2Gi` of Kubernetes. */
function bytesOf(quantity: string | number | undefined): number {
  const match = /^(\d+)(Ki|Mi|Gi)$/.exec(String(quantity));
  if (!match) throw new Error(`not a quantity that this test reads: ${quantity}`);
  return Number(match[1]) * 1024 ** (1 + ['Ki', 'Mi', 'Gi'].indexOf(match[2]!));
}
