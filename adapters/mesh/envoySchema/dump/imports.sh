#!/bin/sh
# Writes imports.go, which links in every message of the API: what is linked in is what main.go can see.
set -eu
packages() {
  go mod download "$1"
  folder=$(go list -m -f '{{.Dir}}' "$1")
  (cd "$folder" && find $2 -name '*.pb.go' -exec dirname {} \; | sort -u | sed "s|.*|	_ \"$1/&\"|")
}
{
  echo '// Written by imports.sh; `go generate` writes it anew.'
  echo 'package main'
  echo
  echo 'import ('
  packages github.com/envoyproxy/go-control-plane/envoy 'admin annotations config data extensions service type watchdog'
  packages github.com/cncf/xds/go 'udpa/type xds/type'
  echo ')'
} > imports.go.new
mv imports.go.new imports.go
