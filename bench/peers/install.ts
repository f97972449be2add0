/**
 * Puts other systems into the cache folder, by the ordinary clients of their registries, in pinned versions and without running install
 * scripts: `node bench/peers/install.ts [NAME…]`, by default all. What is there already is left alone. Needs npm, Python with venv, or Maven
 * and a JDK, as the system does.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { MillraceError } from '../../lib/errors.ts';
import {
  installedFolder,
  installedMarker,
  peersFolder,
  type Recipe,
  type RecipeName,
  recipes,
} from './installed.ts';

const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

const clients: Readonly<Record<Recipe['from'], (folder: string, wanted: string) => void>> = {
  npm(folder, wanted) {
    run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder, wanted]);
  },
  pip(folder, wanted) {
    run('python3', ['-m', 'venv', folder]);
    run(join(folder, 'bin/pip'), ['install', '--quiet', wanted]);
  },
  maven(folder, wanted) {
    const pom = join(folder, 'pom.xml');
    writeFileSync(pom, projectThatNeeds(wanted));
    run('mvn', ['-B', '-q', '-f', pom, copyDependencies, `-DoutputDirectory=${join(folder, 'jars')}`]);
  },
};

function projectThatNeeds(wanted: string): string {
  const [group, artifact, version] = wanted.split(':');
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId>
  <artifactId>peer</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>${group}</groupId>
      <artifactId>${artifact}</artifactId>
      <version>${version}</version>
    </dependency>
  </dependencies>
</project>
`;
}

function run(program: string, args: readonly string[]): void {
  // The Node that runs this comes first: npm leaves out binaries that do not fit the one it runs on.
  const path = [dirname(process.execPath), process.env.PATH].join(delimiter);
  execFileSync(program, args, { stdio: 'inherit', env: { ...process.env, PATH: path } });
}

function install(name: RecipeName): void {
  if (installedFolder(name)) {
    console.log(`${name}: installed already`);
    return;
  }
  const { from, package: wanted } = recipes[name];
  const folder = join(peersFolder, name);
  console.log(`${name}: ${wanted} by ${from} into ${folder}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  clients[from](folder, wanted);
  writeFileSync(join(folder, installedMarker), wanted);
}

const isName = (name: string): name is RecipeName => Object.hasOwn(recipes, name);

const names = process.argv.slice(2);
for (const name of names) {
  if (!isName(name)) {
    throw new MillraceError(
      'invalid-argument',
      `there is no peer ${name} to install, only ${Object.keys(recipes).join(', ')}`,
    );
  }
}
for (const name of names.length > 0 ? names.filter(isName) : (Object.keys(recipes) as RecipeName[])) {
  install(name);
}
