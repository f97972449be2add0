# Coordinator and worker of Millrace: Node, the built command line, its production packages, and nothing else.
#
# `npm run cluster -- rebuild` puts this file and what it copies into .millrace/image and builds; afterwards `docker compose build` works,
# too. The packages come from node_modules as package-lock.json pins them, so that a build downloads nothing but the base image.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim
FROM ${NODE_IMAGE}

LABEL org.opencontainers.image.title="Millrace" \
      org.opencontainers.image.description="MapReduce for TypeScript: coordinator and worker" \
      org.opencontainers.image.licenses="Apache-2.0"

ENV NODE_ENV=production \
    # Fewer arenas hold less memory that was freed; see docs/decisions/0007 for the room a container needs.
    MALLOC_ARENA_MAX=2

WORKDIR /app
COPY node_modules ./node_modules
COPY app ./

# A volume that is mounted on it starts with its owner. There may be no shell, so node makes the folder.
RUN ["node", "-e", "const fs = require('node:fs'); fs.mkdirSync('/scratch', { mode: 0o700 }); fs.chownSync('/scratch', 1000, 1000)"]

USER 1000:1000
WORKDIR /scratch
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["--help"]
