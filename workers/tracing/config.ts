/** Where traces go, by OpenTelemetry's standard variables, which the exporter reads for the rest (headers, time-outs). */
export interface TraceConfig {
  serviceName: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** `null` without `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, or when they are turned off. */
export function traceConfig(environment: Environment, serviceName = 'psmg-worker'): TraceConfig | null {
  const has = (name: string): boolean => (environment[name] ?? '').trim() !== '';
  const off = environment['OTEL_SDK_DISABLED'] === 'true' || environment['OTEL_TRACES_EXPORTER'] === 'none';
  if (off || !(has('OTEL_EXPORTER_OTLP_ENDPOINT') || has('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'))) return null;
  return { serviceName: has('OTEL_SERVICE_NAME') ? String(environment['OTEL_SERVICE_NAME']).trim() : serviceName };
}
