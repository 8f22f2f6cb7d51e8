import type { Attributes, Context } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { regionOfWorkflow } from '../../activities/telemetry.js';
import { withoutSecrets } from '../../adapters/telemetry/secrets.js';
import { SEARCH_ATTRIBUTES } from '../../workflows/shared/searchAttributes.js';

/** Attributes of our own on spans; the rest are named by OpenTelemetry and Temporal. */
export const SPAN_ATTRIBUTES = { region: 'psmg.region', phase: 'psmg.phase', planHash: 'psmg.plan_hash' } as const;

/** Of what the SDK puts on workflow spans, which is everything it knows of the workflow, memo included. */
const KEPT_OF_WORKFLOW = ['namespace', 'taskQueue', 'workflowId', 'runId', 'workflowType', 'attempt'];

/**
 * Hands spans on with region and phase, and with nothing that looks like a secret. A query that nobody traces, such
 * as those for metrics, makes a trace of nothing and is left out.
 */
export class RegionSpanProcessor implements SpanProcessor {
  private readonly next: SpanProcessor;

  constructor(next: SpanProcessor) {
    this.next = next;
  }

  onStart(span: Span, context: Context): void {
    this.next.onStart(span, context);
  }

  onEnd(span: ReadableSpan): void {
    const isRoot = span.parentSpanId === undefined || span.parentSpanId === '';
    if (isRoot && span.name.startsWith('HandleQuery:')) return;
    this.next.onEnd(described(span));
  }

  async forceFlush(): Promise<void> {
    return this.next.forceFlush();
  }

  async shutdown(): Promise<void> {
    return this.next.shutdown();
  }
}

function described(span: ReadableSpan): ReadableSpan {
  const attributes = isOfWorkflow(span.attributes) ? workflowAttributes(span.attributes) : span.attributes;
  const workflowId = attributes['workflowId'] ?? attributes['temporalWorkflowId'];
  const region = typeof workflowId === 'string' ? regionOfWorkflow(workflowId) : null;
  const own = { ...attributes, ...(region === null ? {} : { [SPAN_ATTRIBUTES.region]: region }) };
  const value = <T>(of: T): PropertyDescriptor => ({ value: of, enumerable: true });
  return Object.create(span, {
    attributes: value(withoutSecrets(own)),
    events: value(
      span.events.map((event) => ({
        ...event,
        ...(event.attributes === undefined ? {} : { attributes: withoutSecrets(event.attributes) }),
      })),
    ),
    status: value(withoutSecrets(span.status)),
  }) as ReadableSpan;
}

function isOfWorkflow(attributes: Attributes): boolean {
  return typeof attributes['workflowId'] === 'string' && 'unsafe' in attributes;
}

function workflowAttributes(all: Attributes): Attributes {
  const kept: Attributes = Object.fromEntries(
    KEPT_OF_WORKFLOW.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])),
  );
  for (const [name, value] of Object.entries(all)) if (/^(temporal|run_id|psmg\.)/.test(name)) kept[name] = value;
  const phase = phaseOf(all);
  return phase === null ? kept : { ...kept, [SPAN_ATTRIBUTES.phase]: phase };
}

/** As the workflow itself showed it when the span ended. The adjustment shows none: it runs in operation alone. */
function phaseOf(all: Readonly<Record<string, unknown>>): string | null {
  const shown = (all['searchAttributes'] as Readonly<Record<string, readonly unknown[]>> | undefined) ?? {};
  const [phase] = shown[SEARCH_ATTRIBUTES.phase.name] ?? [];
  if (typeof phase === 'string') return phase;
  return all['workflowType'] === 'meshAdjustment' ? 'operating' : null;
}
