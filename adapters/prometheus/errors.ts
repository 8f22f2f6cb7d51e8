/** Why a Prometheus-compatible server gave no answer that can be used. */
export type PrometheusFailure =
  /** Nothing answers at its address. */
  | 'unreachable'
  | 'timeout'
  /** It answers 429, 5xx, or says that it cannot now. */
  | 'unavailable'
  | 'unauthorized'
  /** It refuses the query as it is. */
  | 'bad-query'
  /** The query would read more than the server allows. */
  | 'too-much'
  /** More bytes than this program takes. */
  | 'too-large'
  | 'too-many-series'
  /** What answers is no Prometheus-compatible server. */
  | 'not-prometheus'
  /** The secret that the region file names is not there. */
  | 'no-token';

/** The message names server and query, and says in one sentence what is wrong and what to do. Holds no secret. */
export class PrometheusError extends Error {
  readonly failure: PrometheusFailure;
  readonly fix: string | undefined;

  constructor(failure: PrometheusFailure, message: string, fix?: string) {
    super(message);
    this.name = 'PrometheusError';
    this.failure = failure;
    this.fix = fix;
  }
}

/** A query in one line, short enough for a message. */
export function shownQuery(query: string): string {
  const line = query.replace(/\s+/g, ' ').trim();
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
