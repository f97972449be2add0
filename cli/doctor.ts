/** `millrace doctor`: what is wrong with a cluster, or with a store, and which setting to change. */
import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { type Command, Option } from 'commander';
import { type Address, formatAddress, parseAddress, parseAddresses } from '../lib/address.ts';
import { systemClock } from '../lib/clock.ts';
import { compareClocks, compareVersions } from '../lib/compare-processes.ts';
import type { Diagnosis, DiagnosisReport, Finding } from '../lib/diagnosis.ts';
import { MillraceError } from '../lib/errors.ts';
import { examine } from '../lib/examine.ts';
import { probeStore } from '../lib/store/probe.ts';
import { createStores } from '../lib/store/resolve.ts';
import { softwareVersion } from '../lib/version.ts';
import { connect } from '../sdk/client.ts';
import { isSaid } from '../sdk/rpc-error.ts';
import { connectOptionsOf } from './credentials.ts';
import { addCoordinator, addJson, type ClientOptions } from './options.ts';
import { writeData, writeJson } from './output.ts';
import { connectTcp, resolveName, speaksTls } from './reach.ts';
import { renderDiagnosis } from './render/diagnosis.ts';
import { stdoutPaint } from './render/style.ts';
import { storeUriOf } from './store-uri.ts';

interface DoctorFlags extends ClientOptions {
  readonly store?: string;
}

interface Outcome {
  readonly report: DiagnosisReport;
  readonly exitCode: number;
}

const reachTimeoutMs = 5_000;
/** The client gives up by itself before. */
const answerTimeoutMs = 90_000;
const unreachable = new MillraceError('unavailable', '').exitCode;

export function define(command: Command): void {
  addCoordinator(command);
  const store = new Option('--store <URL>', 'check only this store, from here and without a coordinator');
  command.addOption(store);
  // MILLRACE_STORE is a coordinator's setting and may be set for other reasons: only the flag asks for the local check.
  delete store.envVar;
  addJson(command, 'print the report');
  command.action(async (flags: DoctorFlags) => {
    const { report, exitCode } =
      flags.store === undefined
        ? await examineCluster(flags)
        : outcomeOf([await examineStore(storeUriOf(flags.store))]);
    if (flags.json) await writeJson(report);
    else await writeData(`${renderDiagnosis(report, stdoutPaint()).join('\n')}\n`);
    process.exitCode = exitCode;
  });
}

function outcomeOf(diagnoses: readonly Diagnosis[], failedExitCode = 1): Outcome {
  const ok = diagnoses.every(({ findings }) => findings.every((finding) => finding.ok));
  return { report: { ok, diagnoses }, exitCode: ok ? 0 : failedExitCode };
}

function ofClient(findings: readonly Finding[]): Diagnosis {
  const { version: nodeVersion } = process;
  return { where: 'client', softwareVersion: softwareVersion(), nodeVersion, clockMs: Date.now(), findings };
}

async function examineStore(uri: string): Promise<Diagnosis> {
  const { store, key } = createStores().locate(`${uri.replace(/\/?$/, '/')}doctor/${randomUUID()}/`);
  return ofClient(await probeStore(store, key));
}

async function examineCluster(flags: DoctorFlags): Promise<Outcome> {
  const setting = '--coordinator (MILLRACE_COORDINATOR)';
  const addresses = parseAddresses(flags.coordinator, setting).map((text) => parseAddress(text, setting));
  const reaches = await Promise.all(addresses.map(reach));
  const reached = reaches.flat();
  const reachable = addresses.filter((_, at) => reaches[at]!.every(({ ok }) => ok));
  const [address] = reachable;
  if (!address) return outcomeOf([ofClient(reached)], unreachable);
  let report: DiagnosisReport | undefined;
  let code = 'unavailable';
  const answer = await examine('coordinator', systemClock, answerTimeoutMs, async (signal) => {
    try {
      await using client = connect(connectOptionsOf(flags));
      report = await client.diagnose({ signal });
      return 'answers';
    } catch (thrown) {
      const error = MillraceError.from(thrown);
      code = error.code;
      throw await explained(error, address, flags);
    }
  });
  if (!report) return outcomeOf([ofClient([...reached, answer])], code === 'unavailable' ? unreachable : 1);
  const [coordinator, ...workers] = report.diagnoses;
  const compared = coordinator ? compareWith(coordinator) : [];
  const roles =
    addresses.length > 1 ? await Promise.all(reachable.map((one) => examineRole(one, flags))) : [];
  return outcomeOf([
    ofClient([...reached, answer, ...roles, ...compared]),
    ...(coordinator ? [coordinator] : []),
    ...workers,
  ]);
}

/** Of several coordinators one leads and the others are to stand by. */
function examineRole(address: Address, flags: DoctorFlags): Promise<Finding> {
  const coordinator = formatAddress(address);
  return examine(`role of ${coordinator}`, systemClock, answerTimeoutMs, async (signal) => {
    await using client = connect({ ...connectOptionsOf(flags), coordinator });
    try {
      await client.cluster({ signal });
      return 'leads';
    } catch (thrown) {
      const error = MillraceError.from(thrown);
      // It answers, and that it does not lead.
      if (error.code === 'unavailable' && isSaid(error)) return error.message;
      throw error;
    }
  });
}

async function reach(address: Address): Promise<Finding[]> {
  const isName = isIP(address.host) === 0;
  const name = await examine('name', systemClock, reachTimeoutMs, () => resolveName(address));
  if (!name.ok) return [name];
  const port = await examine('connection', systemClock, 2 * reachTimeoutMs, () =>
    connectTcp(address, AbortSignal.timeout(reachTimeoutMs)),
  );
  return isName ? [name, port] : [port];
}

/** Something listens, and yet gRPC got no answer: whose TLS settings are wrong? */
async function explained(error: MillraceError, address: Address, flags: DoctorFlags): Promise<MillraceError> {
  if (error.code !== 'unavailable') return error;
  const isTls = await speaksTls(address, AbortSignal.timeout(reachTimeoutMs));
  const showsTls = Boolean(flags.tlsCa || flags.tlsCert);
  if (isTls === showsTls) return error;
  const why = isTls
    ? 'it speaks TLS: give --tls-ca, and --tls-cert and --tls-key if it demands certificates (MILLRACE_TLS_CA, _CERT, _KEY)'
    : 'it speaks no TLS: leave --tls-ca, --tls-cert and --tls-key (MILLRACE_TLS_*) out, or give the coordinator --tls-cert and --tls-key';
  return new MillraceError('unavailable', `${flags.coordinator} takes connections, but ${why}`, {
    cause: error,
  });
}

function compareWith({ softwareVersion: version, clockMs }: Diagnosis): Finding[] {
  const nowMs = Date.now();
  return [compareVersions(softwareVersion(), version), compareClocks(nowMs - (clockMs ?? nowMs))];
}
