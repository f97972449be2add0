/** Hadoop MapReduce on its local runner: one JVM, maps and reduces in threads. From HADOOP_HOME, or jars from Maven Central. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { grepPattern } from '../scenarios/scenario-name.ts';
import { installedFolder, notInstalled } from './installed.ts';
import { compiledJar, javaVersion, missingOfJdk, versionOfJar } from './java.ts';
import type { Peer, PeerMissing, PeerTask } from './peer.ts';

interface Hadoop {
  readonly classPath: string;
  readonly version: string;
}

async function findHadoop(): Promise<Hadoop | PeerMissing> {
  const home = process.env.HADOOP_HOME;
  if (home) {
    const version = versionOfJar(join(home, 'share/hadoop/common'), 'hadoop-common-');
    if (!version)
      return { missing: `not installed: HADOOP_HOME=${home} has no share/hadoop/common/hadoop-common-*.jar` };
    const { stdout } = await promisify(execFile)(join(home, 'bin/hadoop'), ['classpath']);
    return { classPath: stdout.trim(), version };
  }
  const folder = installedFolder('hadoop');
  if (!folder) return notInstalled('hadoop');
  const jars = join(folder, 'jars');
  return { classPath: join(jars, '*'), version: versionOfJar(jars, 'hadoop-client-api-') ?? 'unknown' };
}

/** Splits of 32 MiB give each thread several maps; a map's buffer holds what a split makes. */
const settings = ({ scratch, threads }: PeerTask) =>
  Object.entries({
    'mapreduce.framework.name': 'local',
    'mapreduce.local.map.tasks.maximum': threads,
    'mapreduce.local.reduce.tasks.maximum': threads,
    'mapreduce.job.reduces': threads,
    'mapreduce.input.fileinputformat.split.maxsize': 32 * 1024 * 1024,
    'mapreduce.task.io.sort.mb': 256,
    'hadoop.tmp.dir': scratch,
  }).flatMap(([name, value]) => ['-D', `${name}=${value}`]);

export const hadoop: Peer = {
  name: 'hadoop',
  title: 'Hadoop MapReduce',
  scenarios: ['word-count', 'sort', 'grep', 'inverted-index', 'p99', 'start-up', 'map-only'],
  isSlow: true,
  isDefault: true,
  async find() {
    const noJdk = missingOfJdk();
    if (noJdk) return { missing: noJdk };
    const found = await findHadoop();
    if ('missing' in found) return found;
    const jar = await compiledJar(join(import.meta.dirname, 'hadoop/HadoopPeer.java'), found.classPath);
    return {
      version: `${found.version}, Java ${await javaVersion()}`,
      command: (task) => ({
        program: 'java',
        args: [
          ...['-Xmx2g', '-cp', `${jar}:${found.classPath}`, 'HadoopPeer'],
          ...settings(task),
          ...[task.scenario, task.input, task.output, grepPattern],
        ],
      }),
    };
  },
};
