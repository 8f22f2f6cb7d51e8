# The worker with everything it runs: Node, Python, Ansible, Envoy (to validate) and an SSH client.
ARG NODE_VERSION
FROM node:${NODE_VERSION}-bookworm-slim

RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates openssh-client python3 python3-venv \
  && rm -rf /var/lib/apt/lists/*

WORKDIR /app
ENV PSMG_CACHE=/opt/psmg

# Set-up apart from the sources: an edit there installs nothing anew.
COPY package.json package-lock.json ./
COPY bin bin
COPY scripts scripts
RUN npm run setup -- --for start

COPY . .
USER node
CMD ["node", "bin/psmg.js", "worker"]
