/** `.env` of the cluster: random credentials that docker-compose.yml and the shell of a client need. Made once, never committed. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

export type EnvFile = Readonly<Record<string, string>>;

/** What docker-compose.yml cannot do without, each with a fresh value. */
const credentials: Readonly<Record<string, () => string>> = {
  MINIO_ROOT_USER: () => `root-${randomBytes(6).toString('hex')}`,
  MINIO_ROOT_PASSWORD: newSecret,
  S3_COORDINATOR_SECRET: newSecret,
  S3_WORKER_SECRET: newSecret,
  S3_CLIENT_SECRET: newSecret,
  S3_READER_SECRET: newSecret,
  MILLRACE_CLIENT_TOKEN: newSecret,
  MILLRACE_WORKER_TOKEN: newSecret,
};

const head = `# Credentials of the cluster of docker-compose.yml, made by \`npm run cluster -- start\`. Keep it to yourself. Other settings of that file,
# such as WORKER_MEMORY or MINIO_CONSOLE_PORT, may be added here.
`;

/** 160 bits; short enough for MinIO's secret keys (40 characters). */
function newSecret(): string {
  return randomBytes(20).toString('hex');
}

/**
 * Reads it; makes it, readable by its owner alone, when there is none, and adds what is missing. `extra` goes only into a new file.
 * What is there is never changed, because the data of MinIO belongs to these credentials.
 */
export function ensureEnvFile(path: string, extra: EnvFile = { COMPOSE_PROJECT_NAME: 'millrace' }): EnvFile {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : `${head}${linesOf(extra)}`;
  const known = parse(text);
  const missing = Object.entries(credentials).filter(([name]) => !known[name]);
  if (missing.length === 0) return known;
  const added = Object.fromEntries(missing.map(([name, make]) => [name, make()]));
  const separator = text === '' || text.endsWith('\n') ? '' : '\n';
  writeFileSync(path, `${text}${separator}${linesOf(added)}`, { mode: 0o600 });
  return { ...known, ...added };
}

/** Undefined when there is none. */
export function readEnvFile(path: string): EnvFile | undefined {
  return existsSync(path) ? parse(readFileSync(path, 'utf8')) : undefined;
}

function parse(text: string): EnvFile {
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(parseEnv(text))) if (value !== undefined) values[name] = value;
  return values;
}

function linesOf(values: EnvFile): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
