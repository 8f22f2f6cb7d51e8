import { Ajv } from 'ajv';
import type { ErrorObject, ValidateFunction } from 'ajv';

import type { FileSet } from '../../core/spec/artifact.js';
import type { Problem } from '../../core/spec/problem.js';
import { readObjects } from './objects.js';
import type { ReadObject } from './objects.js';
import crds from './schemas/crds.json' with { type: 'json' };

const SCHEMAS: Readonly<Record<string, object>> = crds;
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/**
 * Files against the schemas of Istio's and the Gateway API's own definitions, closed: a field that they do not know
 * is a mistake. Every problem of every object at once.
 *
 * | code | |
 * | --- | --- |
 * | ISTIO001 | no YAML, or no object |
 * | ISTIO002 | a kind or version that has no schema here |
 * | ISTIO003 | against the schema |
 */
export function checkIstio(files: FileSet): Problem[] {
  return istioChecker()(files);
}

/** The same for many sets of files: a schema is compiled once, which takes longer than to check a file by it. */
export function istioChecker(): (files: FileSet) => Problem[] {
  const validators = new Map<string, ValidateFunction>();
  return (files) => {
    const { objects, problems } = readObjects(files);
    return [...problems, ...objects.flatMap((object) => checkObject(object, validators))];
  };
}

function checkObject(object: ReadObject, validators: Map<string, ValidateFunction>): Problem[] {
  const id = `${object.apiVersion} ${object.kind}`;
  const validate = validators.get(id) ?? compile(SCHEMAS[id]);
  if (validate === undefined) return [object.problem('ISTIO002', ['kind'], `has no schema for ${id}`)];
  validators.set(id, validate);
  const names = (['name', 'namespace'] as const)
    .filter((field) => !NAME.test(object[field]))
    .map((field) => object.problem('ISTIO003', ['metadata', field], 'is no Kubernetes name'));
  if (validate(object.spec)) return names;
  return [...names, ...(validate.errors ?? []).map((error) => told(object, error))];
}

function compile(schema: object | undefined): ValidateFunction | undefined {
  if (schema === undefined) return undefined;
  // Compiled for a handful of files: what optimising the code costs is never earned.
  return new Ajv({ strict: false, allErrors: true, validateFormats: false, code: { optimize: false } }).compile(schema);
}

function told(object: ReadObject, { instancePath, message, params, keyword }: ErrorObject): Problem {
  const path = instancePath.split('/').slice(1).map(unescape);
  const extra = keyword === 'additionalProperties' ? [String(params['additionalProperty'])] : [];
  const allowed = keyword === 'enum' ? { expected: (params['allowedValues'] as unknown[]).join(', ') } : {};
  const said = extra.length > 0 ? 'is no field that Istio knows' : (message ?? 'is refused');
  return object.problem('ISTIO003', ['spec', ...path, ...extra], said, allowed);
}

/** A part of a JSON pointer; places in lists as numbers. */
function unescape(part: string): string | number {
  const text = part.replaceAll('~1', '/').replaceAll('~0', '~');
  return /^\d+$/.test(text) ? Number(text) : text;
}
