/** Shown in the line's own place, or of no use to a person at a terminal. */
const LEFT_OUT = new Set(['time', 'level', 'message', 'error', 'namespace', 'taskQueue', 'activityId', 'isLocal']);

/** A line for people: time, level, message, the fields that say where, and the error in its own words. */
export function logText(entry: Readonly<Record<string, unknown>>): string {
  const fields = Object.entries(entry).flatMap(([name, value]) =>
    LEFT_OUT.has(name) ? [] : [`${name}=${typeof value === 'string' ? quoted(value) : JSON.stringify(value)}`],
  );
  const level = String(entry['level']).toUpperCase().padEnd(5);
  const head = [String(entry['time']), level, String(entry['message']), ...fields].join(' ');
  const error = errorText(entry['error']);
  return error === '' ? `${head}\n` : `${head}\n${indented(error)}\n`;
}

function quoted(text: string): string {
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

function errorText(error: unknown): string {
  if (error === undefined) return '';
  if (typeof error !== 'object' || error === null) return String(error);
  const { type, message, cause } = error as { type?: unknown; message?: unknown; cause?: unknown };
  const own = `${String(type)}: ${String(message)}`;
  return cause === undefined ? own : `${own}\ncaused by ${errorText(cause)}`;
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
