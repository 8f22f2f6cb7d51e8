import type { DeliveryTool } from '../core/spec/region.js';
import { renderAnsible } from './ansible/render.js';
import type { DeliveryRenderer } from './renderer.js';

export const DELIVERIES: Readonly<Record<DeliveryTool, DeliveryRenderer>> = {
  ansible: renderAnsible,
};
