#!/usr/bin/env node
/**
 * `node mesh/istio/schemas/extract.mjs`: writes crds.json beside it, the closed schemas of the kinds that we render,
 * from the CRDs in the modules named below. Needs Go, whose module client fetches them.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseAllDocuments } from 'yaml';

const SOURCES = [
  {
    module: 'istio.io/istio@v0.0.0-20260827124520-eed52ebb66ad',
    files: ['manifests/charts/base/files/crd-all.gen.yaml'],
    kinds: {
      ServiceEntry: 'v1',
      DestinationRule: 'v1',
      VirtualService: 'v1',
      Gateway: 'v1',
      Sidecar: 'v1',
      EnvoyFilter: 'v1alpha3',
      Telemetry: 'v1',
    },
  },
  {
    module: 'sigs.k8s.io/gateway-api@v1.6.0',
    files: ['gateways', 'httproutes'].map((name) => `config/crd/standard/gateway.networking.k8s.io_${name}.yaml`),
    kinds: { Gateway: 'v1', HTTPRoute: 'v1' },
  },
];

/** Only what a validator reads: neither prose nor the rules that only an API server can run. */
const DROPPED = new Set([
  'description',
  'x-kubernetes-validations',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
]);

/** A field that the schema does not know is an error, except where the API server keeps anything. */
function closed(schema, inProperties = false) {
  if (Array.isArray(schema)) return schema.map((one) => closed(one));
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = {};
  for (const [key, value] of Object.entries(schema)) {
    if (!inProperties && DROPPED.has(key)) continue;
    copy[key] = closed(value, !inProperties && key === 'properties');
  }
  if (inProperties || copy.properties === undefined) return copy;
  if (copy.additionalProperties === undefined && copy['x-kubernetes-preserve-unknown-fields'] !== true) {
    copy.additionalProperties = false;
  }
  return copy;
}

const schemas = {};
for (const { module, files, kinds } of SOURCES) {
  const { Dir } = JSON.parse(execFileSync('go', ['mod', 'download', '-json', module], { encoding: 'utf8' }));
  for (const document of files.flatMap((file) => parseAllDocuments(readFileSync(join(Dir, file), 'utf8')))) {
    const crd = document.toJS();
    const version = kinds[crd?.spec?.names?.kind];
    const found = crd?.spec?.versions?.find(({ name }) => name === version);
    if (version === undefined || found === undefined) continue;
    schemas[`${crd.spec.group}/${version} ${crd.spec.names.kind}`] = closed(
      found.schema.openAPIV3Schema.properties.spec,
    );
  }
}
writeFileSync(join(import.meta.dirname, 'crds.json'), `${JSON.stringify(schemas)}\n`);
