import type { ConnectionOptions, WorkflowClientInterceptor } from '@temporalio/client';
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { NativeConnection } from '@temporalio/worker';

/** Address, namespace, TLS and key as every Temporal tool reads them: environment first, then the profile's file. */
export interface TemporalTarget {
  connection: ConnectionOptions;
  namespace: string;
}

export function temporalTarget(): TemporalTarget {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return { connection: connectionOptions, namespace: namespace ?? 'default' };
}

export async function connectWorker(target: TemporalTarget): Promise<NativeConnection> {
  // Both kinds of options come from the same profile; the native one has no room for the client's interceptors.
  return NativeConnection.connect(target.connection as NativeConnectionOptions);
}

export async function connectClient(
  target: TemporalTarget,
  interceptors: readonly WorkflowClientInterceptor[] = [],
): Promise<Client> {
  const connection = await Connection.connect(target.connection);
  return new Client({ connection, namespace: target.namespace, interceptors: { workflow: [...interceptors] } });
}
