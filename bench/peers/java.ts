/** What the peers that run on Java share: compiling their program, once. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { findOnPath, peersFolder } from './installed.ts';

const run = promisify(execFile);

/** What is missing of a JDK; undefined when all is there. */
export function missingOfJdk(): string | undefined {
  const missing = ['java', 'javac', 'jar'].find((program) => !findOnPath(program));
  return missing && `not installed: ${missing} of a JDK, 17 or newer, is not on the PATH`;
}

/** `17.0.15` */
export async function javaVersion(): Promise<string> {
  const { stderr } = await run('java', ['-version']);
  return /"([^"]+)"/.exec(stderr)?.[1] ?? 'unknown';
}

/** Of `spark-core_2.13-4.3.0.jar` or the like, found by the beginning of its name; undefined without such a jar. */
export function versionOfJar(folder: string, prefix: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const name = readdirSync(folder).find((file) => file.startsWith(prefix) && /-\d[\d.]*\.jar$/.test(file));
  return name?.slice(name.lastIndexOf('-') + 1, -'.jar'.length);
}

/** The path of a jar with the classes of one source file; compiled when the source or the class path is not that of the last time. */
export async function compiledJar(source: string, classPath: string): Promise<string> {
  const hash = createHash('sha256').update(readFileSync(source)).update(classPath).digest('hex').slice(0, 16);
  const jar = join(peersFolder, 'classes', `${basename(source, '.java')}-${hash}.jar`);
  if (existsSync(jar)) return jar;
  mkdirSync(join(peersFolder, 'classes'), { recursive: true });
  const folder = mkdtempSync(join(peersFolder, 'classes/compiling-'));
  try {
    await run('javac', ['-nowarn', '-cp', classPath, '-d', join(folder, 'classes'), source]);
    await run('jar', ['--create', '--file', join(folder, 'peer.jar'), '-C', join(folder, 'classes'), '.']);
    renameSync(join(folder, 'peer.jar'), jar);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return jar;
}
