#!/bin/sh
# Registers what the workflows write. Without these, workflow tasks fail and are retried for ever. Safe to run again.
set -eu

temporal operator search-attribute create \
  --name PsmgRegion --type Keyword \
  --name PsmgPhase --type Keyword \
  --name PsmgBlockedReason --type Keyword
