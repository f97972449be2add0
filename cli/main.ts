#!/usr/bin/env node
/** The entry of the `millrace` command: checks the Node version before anything that needs it is loaded. */
import module from 'node:module';

const needed = { major: 22, minor: 18 };
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < needed.major || (major === needed.major && minor < needed.minor)) {
  process.stderr.write(
    `millrace needs Node ${needed.major}.${needed.minor} or newer; this is Node ${process.versions.node} (${process.execPath})\n`,
  );
  process.exitCode = 2;
} else {
  module.enableCompileCache();
  const { runProgram } = await import('./program.ts');
  await runProgram(process.argv.slice(2));
}
