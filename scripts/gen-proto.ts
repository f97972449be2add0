/**
 * Generates proto/gen (types only) from proto/*.proto; with `--check` fails when what is checked in is not fresh.
 * The flags here and the load options in proto/load.ts must agree.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const target = join(root, 'proto/gen');

function generate(outDir: string): void {
  const protos = ['client.proto', 'operator.proto', 'doctor.proto', 'worker.proto', 'shuffle.proto'];
  execFileSync(
    process.execPath,
    [
      join(root, 'node_modules/@grpc/proto-loader/build/bin/proto-loader-gen-types.js'),
      '--longs=Number',
      '--enums=String',
      '--defaults',
      '--oneofs',
      '--grpcLib=@grpc/grpc-js',
      '--importFileExtension=.ts',
      '--targetFileExtension=.ts',
      `--includeDirs=${join(root, 'proto')}`,
      `--outDir=${outDir}`,
      ...protos,
    ],
    { stdio: 'inherit', cwd: join(root, 'proto') },
  );
  for (const name of filesUnder(outDir)) makePathRelative(join(outDir, name));
}

/** The generator names the .proto file by its absolute path, which would differ between checkouts. */
function makePathRelative(file: string): void {
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(`${root}/`, ''));
}

function filesUnder(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(dir, name)).isFile())
    .sort();
}

const fresh = mkdtempSync(join(tmpdir(), 'millrace-gen-'));
try {
  generate(fresh);
  if (process.argv.includes('--check')) {
    const stale = filesUnder(fresh).filter((name) => {
      try {
        return readFileSync(join(fresh, name), 'utf8') !== readFileSync(join(target, name), 'utf8');
      } catch {
        return true;
      }
    });
    const left = filesUnder(target).filter((name) => !filesUnder(fresh).includes(name));
    if (stale.length + left.length > 0) {
      console.error(
        `${relative(root, target)} is not fresh (${[...stale, ...left].join(', ')}): run npm run gen`,
      );
      process.exitCode = 1;
    }
  } else {
    rmSync(target, { recursive: true, force: true });
    cpSync(fresh, target, { recursive: true });
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
