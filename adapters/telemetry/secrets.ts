const MASK = '[secret]';

/** Names of fields that hold a secret whatever their value is. */
const SECRET_FIELD =
  /^(.*[-_])?(authorization|password|passwd|secret|token|api[-_]?key|apikey|private[-_]?key|cookie)$|(Token|Password|Secret|ApiKey)$/i;

/** In text: credentials of a URL, of an HTTP header, of a query or an assignment, and private keys. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^/\s:@]+:[^/\s@]+@/gi, `$1${MASK}@`],
  [/\b(Bearer|Basic|Token)\s+[A-Za-z0-9._~+/=-]{8,}/g, `$1 ${MASK}`],
  [
    /\b(token|password|passwd|secret|api[-_]?key|authorization)(["']?\s*[=:]\s*["']?)(?!\[secret\])[^\s"'&,;]{4,}/gi,
    `$1$2${MASK}`,
  ],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, MASK],
];

/** The same value with what looks like a secret masked, at any depth. A last line of defence, and no licence to log one. */
export function withoutSecrets<T>(value: T): T {
  return masked(value, 0) as T;
}

function masked(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return PATTERNS.reduce((text, [pattern, by]) => text.replace(pattern, by), value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > 6) return '[too deep]';
  if (Array.isArray(value)) return value.map((item) => masked(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, SECRET_FIELD.test(name) ? MASK : masked(item, depth + 1)]),
  );
}
