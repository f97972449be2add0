/** What the bundler resolves differently: `millrace` itself, and what cannot be shipped. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';

const jobSide = fileURLToPath(
  new URL(`./job-side${extname(fileURLToPath(import.meta.url))}`, import.meta.url),
);

export const bundlePlugin: Plugin = {
  name: 'millrace',
  setup(build) {
    build.onResolve({ filter: /^millrace$/ }, () => ({ path: jobSide }));
    build.onResolve({ filter: /^millrace\// }, ({ path }) => ({
      errors: [{ text: `${path} cannot be imported by a job file: it is not there on a worker` }],
    }));
    build.onResolve({ filter: /\.node$/ }, ({ path }) => ({
      errors: [
        {
          text: `the native addon ${path} cannot be shipped with a job: it is built for one machine; use a package in plain JavaScript or WebAssembly`,
        },
      ],
    }));
  },
};
