import { trace } from '@opentelemetry/api';
import {
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryActivityOutboundInterceptor,
} from '@temporalio/interceptors-opentelemetry';
import type {
  ActivityInboundCallsInterceptor,
  ActivityInterceptorsFactory,
  ActivityOutboundCallsInterceptor,
} from '@temporalio/worker';
import { planHashOf } from '../activities/telemetry.js';
import { SPAN_ATTRIBUTES } from './tracing/spans.js';

/** Log lines and spans of an activity say which plan it works on. */
export const planContext: ActivityInterceptorsFactory = () => {
  let planHash: string | null = null;
  const inbound: ActivityInboundCallsInterceptor = {
    execute: async (input, next) => {
      planHash = planHashOf(input.args[0]);
      if (planHash !== null) trace.getActiveSpan()?.setAttribute(SPAN_ATTRIBUTES.planHash, planHash);
      return next(input);
    },
  };
  const outbound: ActivityOutboundCallsInterceptor = {
    getLogAttributes: (input, next) => next({ ...input, ...(planHash === null ? {} : { planHash }) }),
  };
  return { inbound, outbound };
};

/** A span for every activity, within the one of the workflow that asked for it. */
export const activitySpans: ActivityInterceptorsFactory = (context) => ({
  inbound: new OpenTelemetryActivityInboundInterceptor(context),
  outbound: new OpenTelemetryActivityOutboundInterceptor(context),
});
