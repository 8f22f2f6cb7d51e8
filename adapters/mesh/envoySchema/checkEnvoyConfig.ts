import type { Problem } from '../../../core/spec/problem.js';
import { readEnvoyYaml } from './readEnvoyYaml.js';
import { envoyRegistry } from './registry.js';
import { NO_RULES } from './rules.js';
import { Walk } from './walk.js';

/**
 * Checks a configuration against the descriptors of Envoy's own API, without an Envoy: unknown fields, wrong types and
 * names of enums, what is missing, and the ranges that Envoy states, in every `typed_config` too. All problems are
 * reported at once, each with its place in Envoy's own names (`static_resources.clusters[0].connect_timeout`).
 * What one part of a configuration asks of another (a cluster that is named, a port taken twice) only Envoy itself
 * sees. Names of fields may be written in either way that Envoy reads, snake_case and lowerCamelCase.
 * Throws when there is no message `type`.
 */
export function checkEnvoyConfig(json: unknown, type = 'envoy.config.bootstrap.v3.Bootstrap'): Problem[] {
  const message = envoyRegistry().getMessage(type);
  if (message === undefined) throw new Error(`Envoy's API has no message ${type}`);
  const walk = new Walk();
  walk.message(message, json, [], NO_RULES);
  return walk.problems;
}

/** The same for the text of a file, read as Envoy reads it; what is no YAML is a problem with its line. */
export function checkEnvoyYaml(text: string, type?: string): Problem[] {
  const read = readEnvoyYaml(text);
  return read.ok ? checkEnvoyConfig(read.value, type) : [...read.problems];
}
