import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { WorkflowBundle } from '@temporalio/worker';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';

const WORKFLOWS_PATH = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));
const PAYLOAD_CONVERTER_PATH = fileURLToPath(new URL('../workflows/shared/payloadConverter.ts', import.meta.url));
const SPANS_MODULE = '@temporalio/interceptors-opentelemetry/lib/workflow-interceptors';

export interface BundleOptions {
  /** With the interceptor that makes spans (docs/decisions/0019): a history replays with it and without. */
  spans?: boolean;
}

/** The workflow bundle that the worker ships; replay tests run against the same one. */
export async function bundleWorkflows(options: BundleOptions = {}): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath: WORKFLOWS_PATH,
    payloadConverterPath: PAYLOAD_CONVERTER_PATH,
    logger: new DefaultLogger('WARN'),
    ...(options.spans === true
      ? { workflowInterceptorModules: [createRequire(import.meta.url).resolve(SPANS_MODULE)] }
      : {}),
  });
}
