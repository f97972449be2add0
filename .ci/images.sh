#!/usr/bin/env bash
# The base images that Dockerfile and docker-compose.yml name, made from files of this machine, for where no image can be pulled: the
# node binary of node_modules and MinIO's, each with its shared libraries, under the very names of the real images. An image that is
# there already, pulled or made, is left alone. Needs a Docker engine.
set -euo pipefail
cd "$(dirname "$0")/.."

node_binary=$PWD/node_modules/node/bin/node
node_image=$(sed -n 's/^ARG NODE_IMAGE=//p' Dockerfile)
minio_image=$(sed -n 's/.*\${MINIO_IMAGE:-\([^}]*\)}.*/\1/p' docker-compose.yml)

have() { docker image inspect "$1" >/dev/null 2>&1; }

# Puts a program into a root folder at another path, and its shared libraries at their own. A static one has none.
add_program() { # ROOT PROGRAM PATH
  local libraries
  install -D -m 0755 "$2" "$1$3"
  libraries=$(ldd "$2" 2>/dev/null | grep -oE '/[^ ]+' | sort -u) || return 0
  # shellcheck disable=SC2086 # one word each
  cp -L --parents $libraries "$1"
}

# What every Debian has and programs look for.
add_base() { # ROOT
  mkdir -p "$1"/{etc/ssl/certs,root,tmp,proc,sys,dev,run,home/node}
  chmod 1777 "$1/tmp"
  chown 1000:1000 "$1/home/node"
  printf 'root:x:0:0:root:/root:/sbin/nologin\nnode:x:1000:1000::/home/node:/sbin/nologin\n' >"$1/etc/passwd"
  printf 'root:x:0:\nnode:x:1000:\n' >"$1/etc/group"
  printf 'hosts: files dns\n' >"$1/etc/nsswitch.conf"
  cp /etc/os-release "$1/etc/os-release"
  if [ -e /etc/ssl/certs/ca-certificates.crt ]; then cp -L /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/"; fi
}

import_root() { # ROOT IMAGE COMMAND
  tar -C "$1" -c . |
    docker import --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin' --change "CMD [\"$3\"]" - "$2" >/dev/null
  echo "made $2 from files of this machine"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! have "$node_image"; then
  version=$("$node_binary" --version)
  case $node_image in
    node:"${version#v}"-*) ;;
    *)
      echo "Dockerfile wants $node_image, but node_modules has Node $version: set them to the same version" >&2
      exit 1
      ;;
  esac
  mkdir "$work/node"
  add_base "$work/node"
  add_program "$work/node" "$node_binary" /usr/local/bin/node
  import_root "$work/node" "$node_image" node
fi

if ! have "$minio_image"; then
  minio_binary=$(.ci/minio.sh)
  mkdir "$work/minio"
  add_base "$work/minio"
  add_program "$work/minio" "$minio_binary" /usr/bin/minio
  # The health check of docker-compose.yml asks with it, as it does in the real image.
  add_program "$work/minio" "$(command -v curl)" /usr/bin/curl
  mkdir "$work/minio/data"
  import_root "$work/minio" "$minio_image" minio
fi
