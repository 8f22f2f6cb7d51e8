#!/bin/bash
# Waits for the first deployment, then becomes Envoy.
set -eu

bootstrap=/var/lib/psmg/mesh/bootstrap.yaml
until [ -e "$bootstrap" ]; do
  sleep 1
done
exec envoy -c "$bootstrap" --log-level warn
