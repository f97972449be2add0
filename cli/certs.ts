/** `millrace certs`: a certificate authority and the certificates of a cluster, as files. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { MillraceError } from '../lib/errors.ts';
import type { MadeCertificate } from '../lib/security/make-certificates.ts';
import { addJson, type CommonOptions, parsePositive } from './options.ts';
import { say, writeJson } from './output.ts';

interface CertsFlags extends CommonOptions {
  readonly host?: readonly string[];
  readonly days: number;
}

const hostsDefault = ['localhost', '127.0.0.1', '::1'];
const daysDefault = 365;
const hostPattern = /^[A-Za-z0-9*:][A-Za-z0-9.:_-]{0,252}$/;

export function define(command: Command): void {
  command
    .argument('<DIR>', 'where they go; nothing there is overwritten')
    .option(
      '--host <NAME...>',
      'name or address of the coordinator, beside those of this machine; repeatable',
    )
    .option('--days <N>', 'how long they are good for', parsePositive, daysDefault);
  addJson(command, 'print {"files": […]}');
  command.action(makeFiles);
}

async function makeFiles(dir: string, flags: CertsFlags): Promise<void> {
  const hosts = [...new Set([...hostsDefault, ...(flags.host ?? [])])];
  for (const host of hosts) {
    if (!hostPattern.test(host))
      throw new MillraceError(
        'invalid-argument',
        `--host must be a name or an address, got ${JSON.stringify(host)}`,
      );
  }
  // Loaded here: nothing else needs it, and it is large.
  const { makeCertificates } = await import('../lib/security/make-certificates.ts');
  const made = await makeCertificates(hosts, flags.days, Date.now());
  const files = made.flatMap(({ name, cert, key }) => [
    { path: join(resolve(dir), `${name}.pem`), text: cert, mode: 0o644 },
    { path: join(resolve(dir), `${name}-key.pem`), text: key, mode: 0o600 },
  ]);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const existing = files.find(({ path }) => existsSync(path));
  if (existing) {
    throw new MillraceError(
      'wrong-state',
      `${existing.path} exists already, and certificates in use must not be lost: give another folder`,
    );
  }
  for (const { path, text, mode } of files) await writeFile(path, text, { flag: 'wx', mode });
  if (flags.json) await writeJson({ files: files.map(({ path }) => path) });
  else say(explain(resolve(dir), hosts, flags.days, made));
}

function explain(
  dir: string,
  hosts: readonly string[],
  days: number,
  made: readonly MadeCertificate[],
): string {
  const flags = (role: string) =>
    `--tls-ca ${join(dir, 'ca.pem')} --tls-cert ${join(dir, `${role}.pem`)} --tls-key ${join(dir, `${role}-key.pem`)}`;
  return [
    `wrote ${made.map(({ name }) => `${name}.pem`).join(', ')} and a key of each (${dir}); good for ${days} days`,
    `the coordinator is known as ${hosts.join(', ')} (--host adds names); workers and clients by their role`,
    '',
    `  millrace coordinator --store URL ${flags('coordinator')}`,
    `  millrace worker ${flags('worker')}`,
    `  millrace list ${flags('client')}`,
    '',
    'or MILLRACE_TLS_CA, MILLRACE_TLS_CERT and MILLRACE_TLS_KEY. ca-key.pem makes new certificates: keep it where no server is.',
  ].join('\n');
}
