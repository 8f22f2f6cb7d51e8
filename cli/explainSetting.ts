import path from 'node:path';
import type { ArtifactStore } from '../adapters/artifacts/port.js';
import { createFileArtifactStore } from '../adapters/artifacts/fileStore.js';
import { parseAddress } from '../core/plan/address.js';
import { liveMesh } from '../core/plan/live.js';
import { windowAt } from '../core/plan/windowAt.js';
import type { Adjustment, LiveIntent } from '../core/spec/live.js';
import type { MeshPlan } from '../core/spec/plan.js';
import type { RegionSpec } from '../core/spec/region.js';
import type { RegionExplanation } from '../workflows/regionLifecycle/explain.js';
import { EXIT } from './output.js';
import { Told } from './told.js';

/** One layer of the settings, and what the setting was after it. */
export interface SettingLayer {
  layer: 'plan' | 'ready capacity' | 'activation' | 'adjustment' | 'override';
  value: number | string;
  reason: string;
}

export interface SettingExplanation {
  region: string;
  address: string;
  /** In force as far as the layers tell; `null`: not known without the plan. */
  value: number | string | null;
  /** From the plan up, each only where it changes the value; the last one wins. */
  layers: readonly SettingLayer[];
  /** What could not be told, and why. */
  notes: readonly string[];
}

export interface SettingQuestion {
  address: string;
  explained: RegionExplanation;
  /** `null`: the adjustment does not answer. */
  adjustments: readonly Adjustment[] | null;
  /** Of the worker; its plan and region file are read from there. */
  stateDirectory: string;
}

/** Layer by layer, by the same function that made what runs; without the plan, what the query alone tells. */
export async function explainSetting(question: SettingQuestion): Promise<SettingExplanation> {
  const { address, explained, adjustments, stateDirectory } = question;
  const { region, plan, specRef, intent } = explained;
  const absent = adjustments === null ? ['the adjustment does not answer: its layer is missing'] : [];
  const store = createFileArtifactStore(path.join(stateDirectory, 'artifacts'));
  const read = plan === null ? null : await readBoth(store, specRef, plan.ref);
  if (plan === null || read === null) {
    const why =
      plan === null
        ? 'the region has no plan yet'
        : `the plan is not in ${stateDirectory}: name the worker's state folder with --state for its value and the layers in between`;
    const layers = toldLayers(address, explained, adjustments ?? []);
    return { region, address, value: layers.at(-1)?.value ?? null, layers, notes: [why, ...absent] };
  }
  const parsed = parseAddress(read.spec, address);
  if (!parsed.ok) {
    const hint = parsed.suggestion === undefined ? '' : `; did you mean ${parsed.suggestion}?`;
    throw new Told(`${parsed.message}${hint}`, EXIT.badInput);
  }
  const layers = layersOf(read, plan.hash, { ...intent, adjustments: adjustments ?? [] }, address);
  return { region, address, value: layers.at(-1)?.value ?? null, layers, notes: absent };
}

interface Read {
  spec: RegionSpec;
  plan: MeshPlan;
}

async function readBoth(
  store: ArtifactStore,
  specRef: RegionExplanation['specRef'],
  planRef: RegionExplanation['specRef'],
): Promise<Read | null> {
  try {
    const [spec, plan] = await Promise.all([store.getJson<RegionSpec>(specRef), store.getJson<MeshPlan>(planRef)]);
    return { spec, plan };
  } catch {
    return null;
  }
}

function layersOf(read: Read, hash: string, intent: LiveIntent, address: string): SettingLayer[] {
  const { readyInstances, adjustments, overrides } = intent;
  const asPlanned: LiveIntent = {
    stage: { localPercent: 100, enforceLimits: true },
    adjustments: [],
    overrides: [],
    ...(intent.window === undefined ? {} : { window: intent.window }),
  };
  const ready = readyInstances === undefined ? asPlanned : { ...asPlanned, readyInstances };
  const staged = { ...ready, stage: intent.stage };
  const steps: readonly [SettingLayer['layer'], LiveIntent][] = [
    ['ready capacity', ready],
    ['activation', staged],
    ['adjustment', { ...staged, adjustments }],
    ['override', { ...staged, adjustments, overrides }],
  ];
  const layers: SettingLayer[] = [{ layer: 'plan', ...plannedValue(read, hash, asPlanned, address) }];
  for (const [layer, upTo] of steps) {
    const { value, reason } = valueOf(read, hash, upTo, address);
    const last = layers.at(-1);
    if (value !== last?.value || (layer === 'override' && isSaid(overrides, address) && last.reason !== reason))
      layers.push({ layer, value, reason });
  }
  return layers;
}

function isSaid(layers: readonly { address: string }[], address: string): boolean {
  return layers.some((one) => one.address === address);
}

/** The plan's own reason is the one that names its numbers. */
function plannedValue(
  read: Read,
  hash: string,
  intent: LiveIntent,
  address: string,
): { value: number | string; reason: string } {
  const { service, field } = split(address);
  const planned = windowAt(read.plan, intent.window).services.find((one) => one.service === service);
  const setting = field.startsWith('weight.')
    ? planned?.weights[field.slice('weight.'.length)]
    : planned?.settings[field as keyof typeof planned.settings];
  return setting === undefined
    ? valueOf(read, hash, intent, address)
    : { value: setting.value, reason: setting.reason };
}

function valueOf(
  { spec, plan }: Read,
  hash: string,
  intent: LiveIntent,
  address: string,
): { value: number | string; reason: string } {
  const { service, field } = split(address);
  const live = liveMesh(spec, plan, hash, intent).services.find((one) => one.service === service);
  const value = field.startsWith('weight.')
    ? (live?.weights[field.slice('weight.'.length)] ?? 0)
    : (live?.settings[field as keyof typeof live.settings] ?? 0);
  return { value, reason: live?.reasons[field] ?? '' };
}

/** What the queries tell of the address without the plan. */
function toldLayers(
  address: string,
  { services, plan }: RegionExplanation,
  adjustments: readonly Adjustment[],
): SettingLayer[] {
  const overrides = services.flatMap((one) => one.overrides);
  return [
    ...adjustments
      .filter((one) => one.address === address && one.planHash === plan?.hash)
      .map(({ to, reason }) => ({ layer: 'adjustment' as const, value: to, reason })),
    ...overrides
      .filter((one) => one.address === address)
      .map(({ value, who, why, until }) => ({
        layer: 'override' as const,
        value,
        reason: `by ${who}${until === undefined ? '' : ` until ${until}`}: ${why}`,
      })),
  ];
}

function split(address: string): { service: string; field: string } {
  const dot = address.indexOf('.');
  return { service: address.slice(0, dot), field: address.slice(dot + 1) };
}

export function settingText({ region, address, value, layers, notes }: SettingExplanation): string {
  const width = Math.max(...layers.map(({ layer }) => layer.length), 0);
  const lines = [
    `${address} in region ${region}: ${value ?? 'the plan has it, beyond which nothing is in force'}`,
    ...layers.map(
      ({ layer, value: v, reason }) => `  ${layer.padEnd(width)}  ${v}${reason === '' ? '' : `  ${reason}`}`,
    ),
    ...notes.map((note) => `  note: ${note}`),
  ];
  return `${lines.join('\n')}\n`;
}
