/**
 * Spark's RDDs in Java and in Python, each in one process (`local`) and on a standalone cluster of one worker per core with executors of their own
 * (`local-cluster`), which starts and ends with the job. From SPARK_HOME, or the PyPI package, which has all jars.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { grepPattern, type ScenarioName } from '../scenarios/scenario-name.ts';
import { installedFolder, notInstalled } from './installed.ts';
import { compiledJar, javaVersion, missingOfJdk, versionOfJar } from './java.ts';
import type { Peer, PeerMissing, PeerTask } from './peer.ts';

const scenarios: readonly ScenarioName[] = [
  'word-count',
  'sort',
  'grep',
  'inverted-index',
  'p99',
  'start-up',
  'map-only',
];

const programs = join(import.meta.dirname, 'spark');
const heap = '2g';
const heapMiB = 2048;

interface Spark {
  readonly home: string;
  readonly version: string;
  /** The Python that has what this Spark needs; undefined leaves it to Spark. */
  readonly python: string | undefined;
}

async function findSpark(): Promise<Spark | PeerMissing> {
  const noJdk = missingOfJdk();
  if (noJdk) return { missing: noJdk };
  const named = process.env.SPARK_HOME;
  const installed = named ? undefined : installedFolder('spark');
  const home = named ?? (installed && homeInEnvironment(installed));
  if (!home) return notInstalled('spark');
  const version = versionOfJar(join(home, 'jars'), 'spark-core_');
  if (!version) return { missing: `not installed: SPARK_HOME=${home} has no jars/spark-core_*.jar` };
  const python = installed && join(installed, 'bin/python3');
  return { home, version: `${version}, Java ${await javaVersion()}`, python };
}

/** `lib/python3.11/site-packages/pyspark` of a virtual environment. */
function homeInEnvironment(folder: string): string | undefined {
  const python = readdirSync(join(folder, 'lib')).find((name) => name.startsWith('python'));
  return python && join(folder, 'lib', python, 'site-packages/pyspark');
}

/** Loopback alone, no page, and temporary files where the benchmark wants them. */
const settings = (scratch: string) =>
  Object.entries({
    'spark.ui.enabled': 'false',
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    'spark.local.dir': scratch,
    'spark.serializer': 'org.apache.spark.serializer.KryoSerializer',
  }).flatMap(([name, value]) => ['--conf', `${name}=${value}`]);

const masters = {
  local: (threads: number) => `local[${threads}]`,
  cluster: (threads: number) => `local-cluster[${threads},1,${heapMiB}]`,
};

function sparkPeer(
  named: Pick<Peer, 'name' | 'title'>,
  language: 'java' | 'python',
  place: keyof typeof masters,
): Peer {
  return {
    ...named,
    scenarios,
    isSlow: true,
    isDefault: place === 'local',
    async find() {
      const spark = await findSpark();
      if ('missing' in spark) return spark;
      const { home, version, python } = spark;
      const program =
        language === 'java'
          ? [
              '--class',
              'SparkPeer',
              await compiledJar(join(programs, 'SparkPeer.java'), join(home, 'jars/*')),
            ]
          : [join(programs, 'jobs.py')];
      return {
        version,
        command: ({ scenario, input, output, scratch, threads }: PeerTask) => ({
          program: join(home, 'bin/spark-submit'),
          args: [
            ...['--master', masters[place](threads), '--driver-memory', heap, '--executor-memory', heap],
            ...settings(scratch),
            ...program,
            ...[scenario, input, output, grepPattern],
          ],
          env: {
            SPARK_HOME: home,
            SPARK_LOCAL_IP: '127.0.0.1',
            ...(python ? { PYSPARK_PYTHON: python } : {}),
          },
        }),
      };
    },
  };
}

export const spark = sparkPeer({ name: 'spark', title: 'Spark RDD' }, 'java', 'local');
export const sparkCluster = sparkPeer(
  { name: 'spark-cluster', title: 'Spark RDD, own cluster' },
  'java',
  'cluster',
);
export const pyspark = sparkPeer({ name: 'pyspark', title: 'PySpark RDD' }, 'python', 'local');
export const pysparkCluster = sparkPeer(
  { name: 'pyspark-cluster', title: 'PySpark RDD, own cluster' },
  'python',
  'cluster',
);
