# One image for all services: the command says which one runs (see docker-compose.yml and deploy/k8s).
# Sources run as they are (Node strips the types), so nothing is built; the first stage only installs.
FROM node:24-bookworm-slim AS install
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY libs ./libs
COPY services ./services
COPY dev ./dev
# Not `npm ci`: it refuses a lock file that lacks the binaries of platforms other than the one that wrote it.
RUN npm install --omit=dev --no-save --no-audit --no-fund --loglevel=error

FROM node:24-bookworm-slim AS service
ENV NODE_ENV=production NODE_OPTIONS="--enable-source-maps"
WORKDIR /app
COPY --from=install --chown=root:root /app ./
COPY --chown=root:root config ./config
USER node
# The gateway's port; a worker's health and metrics.
EXPOSE 3000 9090
CMD ["node", "services/gateway/src/main.ts"]

# AWS on one machine, with the local speech decoder: for docker-compose, never for a cluster.
FROM service AS aws-local
USER root
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends ffmpeg pocketsphinx pocketsphinx-en-us \
 && rm -rf /var/lib/apt/lists/* \
 && mkdir -p /data && chown node:node /data
USER node
ENV LOCAL_DIR=/data AWS_LOCAL_HOST=0.0.0.0
VOLUME /data
EXPOSE 4566
CMD ["node", "dev/aws-local/src/main.ts"]

FROM service
