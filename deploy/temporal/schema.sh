#!/bin/sh
# Creates Temporal's two databases, or brings their schemas up to this version. Safe to run again.
set -eu

schemas=/etc/temporal/schema/postgresql/v12

sql() {
  temporal-sql-tool --plugin postgres12 --ep "$POSTGRES_SEEDS" -p "$DB_PORT" -u "$POSTGRES_USER" "$@"
}

set_up() {
  database=$1
  versions=$2
  sql --db "$database" create
  # Both leave what is there already: an existing database, a later version.
  sql --db "$database" setup-schema -v 0.0
  sql --db "$database" update-schema -d "$versions"
}

set_up temporal "$schemas/temporal/versioned"
set_up temporal_visibility "$schemas/visibility/versioned"
