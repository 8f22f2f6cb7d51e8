import { Writable } from 'node:stream';
import { pino, stdTimeFunctions } from 'pino';
import { logText } from './logText.js';
import { withoutSecrets } from './secrets.js';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = 'json' | 'text';

/** The one vocabulary of fields; `docs/telemetry.md` says what each holds. Others are kept as they are named. */
export interface LogFields {
  component?: string;
  region?: string;
  workflowId?: string;
  runId?: string;
  workflowType?: string;
  activity?: string;
  activityId?: string;
  attempt?: number;
  planHash?: string;
  durationMs?: number;
  error?: unknown;
  [field: string]: unknown;
}

export interface Log {
  write(level: LogLevel, message: string, fields?: LogFields): void;
}

export interface LogOptions {
  format: LogFormat;
  level: LogLevel;
  /** Takes whole lines. */
  output(line: string): void;
}

/** One line an event: JSON for programs, text for people. What looks like a secret is masked in either. */
export function createLog(options: LogOptions): Log {
  const destination = new Writable({
    decodeStrings: false,
    write(chunk: unknown, _encoding, done): void {
      const line = String(chunk);
      options.output(options.format === 'json' ? line : logText(JSON.parse(line) as Record<string, unknown>));
      done();
    },
  });
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      messageKey: 'message',
    },
    destination,
  );
  return {
    write(level, message, fields = {}): void {
      if (!logger.isLevelEnabled(level)) return;
      logger[level](withoutSecrets(plainFields(fields)), withoutSecrets(message));
    },
  };
}

function plainFields(fields: LogFields): Record<string, unknown> {
  const plain = Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  const { error, ...rest } = Object.fromEntries(plain) as LogFields;
  return error === undefined ? rest : { ...rest, error: plainError(error) };
}

/** Type, message and stack, and those of its causes, which say what really happened. */
function plainError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return String(error);
  const { type } = error as { type?: unknown };
  return {
    type: typeof type === 'string' ? type : error.name,
    message: error.message,
    ...(depth === 0 && error.stack !== undefined ? { stack: error.stack } : {}),
    ...(error.cause === undefined || depth > 4 ? {} : { cause: plainError(error.cause, depth + 1) }),
  };
}
