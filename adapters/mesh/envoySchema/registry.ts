import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import type { DescExtension, FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** Written by dump/main.go. */
const DESCRIPTORS = new URL('envoy-1.40.binpb.gz', import.meta.url);

let registry: FileRegistry | undefined;

/** Every message of Envoy's v3 API. Read when it is first asked for: it takes about a fifth of a second. */
export function envoyRegistry(): FileRegistry {
  registry ??= createFileRegistry(fromBinary(FileDescriptorSetSchema, gunzipSync(readFileSync(DESCRIPTORS))));
  return registry;
}

export function optionOf(name: string): DescExtension {
  const option = envoyRegistry().getExtension(name);
  if (option === undefined) throw new Error(`the descriptors have no option ${name}`);
  return option;
}
