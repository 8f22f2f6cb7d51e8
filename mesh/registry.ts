import type { MeshKind } from '../core/spec/region.js';
import { compareReadBack } from './envoy/readBack.js';
import { flatten } from './envoy/flatten.js';
import { managedOrder, render } from './envoy/render.js';
import type { MeshRenderer } from './renderer.js';

/** Every mesh that a region file can name. A new one is a folder beside `envoy/` and a line here. */
export const MESHES: Readonly<Record<MeshKind, MeshRenderer>> = {
  envoy: { render, flatten, managedOrder, compareReadBack },
};
