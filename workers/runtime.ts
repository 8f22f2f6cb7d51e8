import type { LogLevel as TemporalLogLevel, LogMetadata, Logger } from '@temporalio/common';
import { Runtime, makeTelemetryFilterString } from '@temporalio/worker';
import { regionOfWorkflow } from '../activities/telemetry.js';
import type { Log, LogFields, LogLevel } from '../adapters/telemetry/log.js';
import type { WorkerConfig } from './config.js';

const LEVELS: Readonly<Record<TemporalLogLevel, LogLevel>> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};

/** What Temporal's SDK, its native part, workflows and activities say, in the fields of our own log. */
function temporalLogger(log: Log): Logger {
  const write = (level: TemporalLogLevel, message: string, meta?: LogMetadata): void => {
    log.write(LEVELS[level], message, fieldsOf(meta));
  };
  return {
    log: write,
    trace: (message, meta) => write('TRACE', message, meta),
    debug: (message, meta) => write('DEBUG', message, meta),
    info: (message, meta) => write('INFO', message, meta),
    warn: (message, meta) => write('WARN', message, meta),
    error: (message, meta) => write('ERROR', message, meta),
  };
}

/** The SDK's names where they differ from ours. */
const RENAMED: Readonly<Record<string, string>> = {
  sdkComponent: 'component',
  activityType: 'activity',
  activity_type: 'activity',
  workflowRunId: 'runId',
  workflow_id: 'workflowId',
  run_id: 'runId',
  workflow_type: 'workflowType',
  task_queue: 'taskQueue',
  trace_id: 'traceId',
  span_id: 'spanId',
};

/** Of no use to anybody who reads: internal, or said by other fields. */
const DROPPED = new Set(['timestampNanos', 'taskToken', 'trace_flags', 'workflowStartedAt']);

function fieldsOf(meta: LogMetadata = {}): LogFields {
  const fields: LogFields = {};
  for (const [name, value] of Object.entries(meta)) if (!DROPPED.has(name)) fields[RENAMED[name] ?? name] = value;
  const region = regionOfWorkflow(fields.workflowId ?? '');
  return region === null ? fields : { region, ...fields };
}

/** Once a process, before anything of the SDK runs. */
export function installRuntime(config: WorkerConfig, log: Log): void {
  const { sdkMetricsPort, healthAddress } = config;
  const core = config.log.level.toUpperCase() as TemporalLogLevel;
  Runtime.install({
    logger: temporalLogger(log),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: core === 'INFO' ? 'WARN' : core }), forward: {} },
      ...(sdkMetricsPort === 0
        ? {}
        : {
            metrics: {
              prometheus: {
                bindAddress: `${healthAddress}:${sdkMetricsPort}`,
                unitSuffix: true,
                countersTotalSuffix: true,
                useSecondsForDurations: true,
              },
            },
          }),
    },
  });
}
