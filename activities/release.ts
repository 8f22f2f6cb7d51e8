import type { PlanReference } from './contract.js';
import { refuseAll } from './errors.js';
import type { Ports } from './ports.js';
import { lintMesh } from '../core/plan/lint.js';
import { liveMesh } from '../core/plan/live.js';
import { checkWeights, validateOverride } from '../core/plan/override.js';
import type { ArtifactRef, FileSet } from '../core/spec/artifact.js';
import type { LiveIntent, LiveMesh } from '../core/spec/live.js';
import type { MeshPlan } from '../core/spec/plan.js';
import type { HostSpec, RegionSpec } from '../core/spec/region.js';
import type { ServiceGraph } from '../core/spec/graph.js';
import { releaseHash } from '../core/spec/hash.js';
import { MESHES } from '../mesh/registry.js';

/** What `planRegion` keeps under the plan's reference. */
export interface PlanDocument {
  plan: MeshPlan;
  graph: ServiceGraph;
}

/** A live intent rendered for every host, not yet applied anywhere. */
export interface Release {
  spec: RegionSpec;
  document: PlanDocument;
  live: LiveMesh;
  perHost: Readonly<Record<string, FileSet>>;
  hash: string;
}

/** Where a release's flattened form lies, so that the host's own proxy can validate all of it. */
export const VALIDATE_FILE = 'validate.yaml';

export async function renderRelease(
  ports: Ports,
  input: { specRef: ArtifactRef; plan: PlanReference; intent: LiveIntent },
): Promise<Release> {
  const spec = await ports.artifacts.getJson<RegionSpec>(input.specRef);
  const document = await ports.artifacts.getJson<PlanDocument>(input.plan.ref);
  return releaseOf(spec, document, input.plan.hash, input.intent);
}

export function releaseOf(
  spec: RegionSpec,
  document: PlanDocument,
  planHash: string,
  intent: LiveIntent,
  hosts: readonly HostSpec[] = spec.delivery.hosts,
): Release {
  const live = liveMesh(spec, document.plan, planHash, intent);
  const mesh = MESHES[spec.mesh.kind];
  const perHost: Record<string, FileSet> = {};
  for (const host of hosts) {
    const files = mesh.render(live, spec, host);
    perHost[host.name] = { ...files, [VALIDATE_FILE]: mesh.flatten(files) };
  }
  return { spec, document, live, perHost, hash: releaseHash(perHost) };
}

/** The gates before any apply: what people set, the semantic lint, then the mesh's own validation of every host's files. */
export async function passGates(
  ports: Ports,
  release: Release,
  intent: LiveIntent,
  signal: AbortSignal,
): Promise<void> {
  const { spec, document, live, perHost } = release;
  const { overrides, readyInstances } = intent;
  const set = [...overrides.flatMap((override) => validateOverride(spec, override)), ...checkWeights(spec, overrides)];
  if (set.length > 0) throw refuseAll('plan-invalid', 'the overrides are refused', set);
  const ready = readyInstances === undefined ? {} : { readyInstances };
  const found = lintMesh(live, spec, document.plan, {
    ...ready,
    ...(intent.window === undefined ? {} : { at: intent.window }),
  });
  if (found.length > 0) throw refuseAll('plan-invalid', 'the semantic lint refuses the settings', found);
  const validate = ports.validate[spec.mesh.kind];
  for (const [host, files] of Object.entries(perHost)) {
    const problems = await validate(files[VALIDATE_FILE] ?? '', signal);
    if (problems.length > 0)
      throw refuseAll('plan-invalid', `${spec.mesh.kind} refuses the files of ${host}`, problems);
  }
}

/** Keeps the bytes, so that a rollback can bring back a release that a target no longer has. */
export async function keepRelease(ports: Ports, release: Release): Promise<void> {
  await ports.artifacts.putJson('release', release.perHost);
}

/** A release's hash is its address in the store: both are SHA-256 of the same canonical JSON. */
export function releaseReference(hash: string): ArtifactRef {
  return { kind: 'release', hash, bytes: 0 };
}
