#!/usr/bin/env bash
# What the tests with containers need of the machine: Docker, Compose, and curl for the image of MinIO. Debian's packages; root only.
set -euo pipefail

missing=()
command -v dockerd >/dev/null || missing+=(docker.io iptables)
command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 || missing+=(docker-compose)
command -v curl >/dev/null || missing+=(curl)
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# No service is started by its installation: .ci/run starts the engine, and ends it.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
fi
apt-get install -qq --yes --no-install-recommends "${missing[@]}" >/dev/null
