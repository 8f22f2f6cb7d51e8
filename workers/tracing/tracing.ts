import { randomUUID } from 'node:crypto';
import { DiagLogLevel, context, diag, propagation, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { IResource } from '@opentelemetry/resources';
import { Resource, envDetectorSync } from '@opentelemetry/resources';
import type { SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import { OpenTelemetryWorkflowClientInterceptor } from '@temporalio/interceptors-opentelemetry';
import type { Log } from '../../adapters/telemetry/log.js';
import type { TraceConfig } from './config.js';
import { AsyncContextManager } from './contextManager.js';
import { RegionSpanProcessor } from './spans.js';

export interface Tracing {
  readonly processor: SpanProcessor;
  readonly resource: Resource;
  clientInterceptors(): WorkflowClientInterceptor[];
  /** Sends what is left, for a few seconds at most: a collector that is away keeps nobody waiting. */
  stop(): Promise<void>;
}

const STOP_WITHIN_MS = 3000;

/** Once a process: spans go to the collector that OpenTelemetry's standard variables name. */
export function startTracing(config: TraceConfig, log?: Log): Tracing {
  const logged =
    (level: 'warn' | 'error') =>
    (message: string, ...more: unknown[]) => {
      log?.write(level, message, { component: 'tracing', ...(more.length === 0 ? {} : { detail: more.map(String) }) });
    };
  const quiet = (): void => undefined;
  const logger = { error: logged('error'), warn: logged('warn'), info: quiet, debug: quiet, verbose: quiet };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const own = new Resource({ 'service.name': config.serviceName, 'service.instance.id': randomUUID() });
  const detected: IResource = envDetectorSync.detect();
  const resource = new Resource(detected.attributes).merge(own);
  // A batch that is sent just as the other side closes a connection for having been idle is lost, and not repeated.
  const exporter = new OTLPTraceExporter({ keepAlive: false });
  const processor = new RegionSpanProcessor(new BatchSpanProcessor(exporter));
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  provider.register({ contextManager: new AsyncContextManager() });
  return {
    processor,
    resource,
    clientInterceptors: () => [new OpenTelemetryWorkflowClientInterceptor()],
    stop: async () => {
      await within(STOP_WITHIN_MS, provider.shutdown()).catch((error: unknown) => logged('warn')(String(error)));
      for (const api of [trace, context, propagation]) api.disable();
      diag.disable();
    },
  };
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`spans were not all sent within ${ms} ms`)), ms);
  });
  await Promise.race([work, limit]).finally(() => clearTimeout(timer));
}
