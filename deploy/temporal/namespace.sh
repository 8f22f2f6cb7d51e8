#!/bin/sh
# Creates the namespace where it is missing. Safe to run again.
set -eu

if temporal operator namespace describe -n "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
  echo "namespace $TEMPORAL_NAMESPACE is there"
else
  temporal operator namespace create -n "$TEMPORAL_NAMESPACE" --retention 30d
fi
