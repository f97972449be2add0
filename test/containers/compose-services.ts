/** What docker-compose.yml says of each service, so that tests run exactly that: settings of their own could agree with themselves only. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { parseBytes } from '../../lib/units.ts';

export interface ComposeService {
  readonly image: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly tmpfs: readonly string[];
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly pids_limit: number;
  readonly read_only: boolean;
  readonly cpus?: number;
  readonly memoryBytes: number;
}

/** Variables as Compose reads them: from `values`, else the default in the file; a required one that is missing throws. */
export function readComposeServices(
  values: Readonly<Record<string, string>>,
): Record<string, ComposeService> {
  const text = readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8');
  const { services } = parse(substitute(text, values), { merge: true });
  return Object.fromEntries(
    Object.entries<Record<string, string>>(services).map(([name, service]) => [
      name,
      { ...service, memoryBytes: parseBytes(service.mem_limit ?? '', `mem_limit of ${name}`) },
    ]),
  ) as unknown as Record<string, ComposeService>;
}

function substitute(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+):([-?])([^}]*)\}/g, (_, name: string, kind: string, rest: string) => {
    const value = values[name] ?? (kind === '-' ? rest : undefined);
    if (value === undefined) throw new Error(`${name} is not set: ${rest}`);
    return value;
  });
}
