#!/usr/bin/env bash
# Prints the path of a MinIO binary: the one that the tests find, or build once, which takes Go and some minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
path=$(node_modules/.bin/node --input-type=module --eval "
  import { findMinio } from './test/minio/find-minio.ts';
  console.log((await findMinio())?.path ?? '');")
if [ -z "$path" ]; then
  echo 'the binary of MinIO is needed: have minio on the PATH, or Go to build it, and unset MILLRACE_TEST_S3' >&2
  exit 1
fi
echo "$path"
