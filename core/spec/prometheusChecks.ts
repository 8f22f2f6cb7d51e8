import { unknownService } from './checkParts.js';
import { LABEL_NAME } from './prometheusSchema.js';
import type { Path, Raw } from './rawDocument.js';
import { isRecord, record } from './rawDocument.js';
import type { PathProblem } from './schemaProblems.js';

/**
 * What must hold of how a Prometheus-compatible server is reached and of what its labels are mapped to. No secret may
 * stand in a region file.
 */
export function prometheusProblems(path: Path, server: Raw, services: ReadonlySet<string>): PathProblem[] {
  return [
    ...urlProblems(path, server['url']),
    ...tokenProblems(path, server),
    ...headerProblems(path, server),
    ...labelProblems(path, server),
    ...Object.entries(record(server, 'names')).flatMap(([value, service]) =>
      unknownService(service, [...path, 'names', value], services),
    ),
  ];
}

/** An own query has no preset to say which label it is. */
export function serviceLabelProblems(path: Path, server: Raw): PathProblem[] {
  if (server['serviceLabel'] !== undefined) return [];
  const message = 'is missing: no preset says which label names the service';
  return [{ code: 'missing', path: [...path, 'serviceLabel'], message, fix: 'add "serviceLabel"' }];
}

function urlProblems(path: Path, url: unknown): PathProblem[] {
  if (typeof url !== 'string' || !URL.canParse(url)) return [];
  const { username, password, search, hash } = new URL(url);
  const at = [...path, 'url'];
  if (username !== '' || password !== '') {
    const fix = 'take them out and name where they are kept: "token: {env: NAME, scheme: basic}"';
    return [{ code: 'secret', path: at, message: 'holds a user or password, which would be kept with every run', fix }];
  }
  if (search !== '' || hash !== '') {
    const expected = 'an address that "/api/v1/query" can be put behind';
    return [{ code: 'bad-value', path: at, message: 'has a query or a fragment', expected, fix: 'remove it' }];
  }
  return [];
}

function tokenProblems(path: Path, server: Raw): PathProblem[] {
  const token = server['token'];
  if (!isRecord(token)) return [];
  const at = [...path, 'token'];
  const { env, file } = token;
  if (env === undefined && file === undefined) {
    const message = 'says neither which variable nor which file holds it';
    return [{ code: 'missing', path: at, message, expected: 'env or file', fix: 'add "env" or "file"' }];
  }
  if (env !== undefined && file !== undefined) {
    const message = 'is given, and so is a variable';
    return [{ code: 'contradiction', path: [...at, 'file'], atKey: true, message, fix: 'keep one of the two' }];
  }
  return [];
}

const SECRET_HEADERS = ['authorization', 'proxy-authorization', 'cookie'];

function headerProblems(path: Path, server: Raw): PathProblem[] {
  return Object.keys(record(server, 'headers')).flatMap((name): PathProblem[] => {
    const at = { path: [...path, 'headers', name], atKey: true };
    if (!/^[A-Za-z0-9-]+$/.test(name)) {
      return [
        { code: 'bad-value', ...at, message: 'is not the name of a header', expected: 'letters, digits and "-"' },
      ];
    }
    if (!SECRET_HEADERS.includes(name.toLowerCase())) return [];
    const message = 'would put a secret into the region file';
    const fix = 'remove it and name where the secret is kept: "token: {env: NAME}"';
    return [{ code: 'secret', ...at, message, fix }];
  });
}

function labelProblems(path: Path, server: Raw): PathProblem[] {
  return Object.keys(record(server, 'labels')).flatMap((name): PathProblem[] => {
    if (LABEL_NAME.test(name)) return [];
    const message = 'is not the name of a label';
    const expected = 'letters, digits and "_"';
    return [{ code: 'bad-value', path: [...path, 'labels', name], atKey: true, message, expected }];
  });
}
