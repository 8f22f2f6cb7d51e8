import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkflowBundle } from '@temporalio/worker';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';

const WORKFLOWS = fileURLToPath(new URL('../workflows', import.meta.url));
const SPANS_MODULE = '@temporalio/interceptors-opentelemetry/lib/workflow-interceptors';

export interface BundleOptions {
  /** With the interceptor that makes spans (docs/decisions/0019): a history replays with it and without. */
  spans?: boolean;
  /** Folder of other workflows, whose replay shows what a change would break; absent: those of this build. */
  workflows?: string;
  /** Modules of further interceptors; absent: none. */
  interceptors?: readonly string[];
}

/** The workflow bundle that the worker ships; replay tests run against the same one. */
export async function bundleWorkflows(options: BundleOptions = {}): Promise<WorkflowBundle> {
  const folder = options.workflows ?? WORKFLOWS;
  return bundleWorkflowCode({
    workflowsPath: path.join(folder, 'index.ts'),
    payloadConverterPath: path.join(folder, 'shared', 'payloadConverter.ts'),
    logger: new DefaultLogger('WARN'),
    workflowInterceptorModules: [
      path.join(folder, 'shared', 'clock.ts'),
      ...(options.spans === true ? [createRequire(import.meta.url).resolve(SPANS_MODULE)] : []),
      ...(options.interceptors ?? []),
    ],
  });
}
