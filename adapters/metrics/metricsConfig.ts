import type { Problem } from '../../core/spec/problem.js';

/** Which metrics store is used. A token is a secret: it is named here, never held. */
export type MetricsConfig = { kind: 'sqlite' } | InfluxConfig;

export interface InfluxConfig {
  kind: 'influxdb';
  url: string;
  org: string;
  bucket: string;
  /** The variable that holds the token, or the file that does. */
  token: { variable: string } | { file: string };
}

type ConfigResult<T extends MetricsConfig> = { ok: true; value: T } | { ok: false; problems: readonly Problem[] };

type Environment = Readonly<Record<string, string | undefined>>;

const KINDS = ['sqlite', 'influxdb'] as const;

/** From `PSMG_METRICS` and `PSMG_INFLUX_…`; every variable that is missing or says something impossible is named at once. */
export function metricsConfig(environment: Environment): ConfigResult<MetricsConfig> {
  const kind = environment['PSMG_METRICS'] || 'sqlite';
  if (kind === 'sqlite') return { ok: true, value: { kind } };
  if (kind === 'influxdb') return influxConfig(environment);
  const problem = problemOf('PSMG_METRICS', `is ${JSON.stringify(kind)}`, KINDS.join(' or '), 'set it to one of them');
  return { ok: false, problems: [problem] };
}

/** As `metricsConfig`, whatever `PSMG_METRICS` says; variables begin with `prefix`. */
export function influxConfig(environment: Environment, prefix = 'PSMG_INFLUX'): ConfigResult<InfluxConfig> {
  const problems: Problem[] = [];
  const required = (name: string, expected: string): string => {
    const value = environment[`${prefix}_${name}`] ?? '';
    if (value === '') problems.push(problemOf(`${prefix}_${name}`, 'is not set', expected, 'set it'));
    return value;
  };
  const url = required('URL', 'the address of InfluxDB 2, such as http://127.0.0.1:8086');
  if (url !== '' && !isHttpUrl(url)) {
    problems.push(problemOf(`${prefix}_URL`, 'is no address', 'http://HOST:PORT or https://HOST:PORT', 'mend it'));
  }
  const org = required('ORG', 'the name of the organisation');
  const bucket = required('BUCKET', 'the name of the bucket');
  const token = tokenOf(environment, prefix, problems);
  if (problems.length > 0 || token === null) return { ok: false, problems };
  return { ok: true, value: { kind: 'influxdb', url: url.replace(/\/+$/, ''), org, bucket, token } };
}

function tokenOf(environment: Environment, prefix: string, problems: Problem[]): InfluxConfig['token'] | null {
  const [variable, fileVariable] = [`${prefix}_TOKEN`, `${prefix}_TOKEN_FILE`];
  const file = environment[fileVariable] ?? '';
  const given = (environment[variable] ?? '') !== '';
  if (given && file !== '') {
    problems.push(problemOf(variable, `is set, and so is ${fileVariable}`, 'one of the two', `unset ${variable}`));
    return null;
  }
  if (given) return { variable };
  if (file !== '') return { file };
  const expected = 'a token that may read and write the bucket';
  problems.push(problemOf(variable, 'is not set', expected, `set it, or name a file that holds it in ${fileVariable}`));
  return null;
}

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  // Credentials in an address end up in logs.
  return /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

function problemOf(field: string, message: string, expected: string, fix: string): Problem {
  return { code: 'environment', field, message, expected, fix };
}
