import type { Command } from 'commander';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { TemporalTarget } from '../workers/connect.js';
import { shellWord } from './shellWord.js';

/** What of the connection is said on the command line; the rest is in the environment and the profile's file. */
export interface ConnectionChoice {
  profile?: string;
  address?: string;
  namespace?: string;
}

/** The same names and meaning as those of the `temporal` command. */
export function connectionOptions(command: Command): Command {
  return command
    .option('--profile <name>', 'profile of the Temporal configuration file (TEMPORAL_PROFILE)')
    .option('--address <host:port>', 'Temporal server (TEMPORAL_ADDRESS)')
    .option('--namespace <name>', 'Temporal namespace (TEMPORAL_NAMESPACE)');
}

/** Out of all options of a command and those above it. */
export function choiceOf(command: Command): ConnectionChoice {
  const { profile, address, namespace } = command.optsWithGlobals<ConnectionChoice>();
  return {
    ...(profile === undefined ? {} : { profile }),
    ...(address === undefined ? {} : { address }),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

/** What was said goes before the environment, which goes before the profile's file. Throws by a profile that is missing. */
export function targetOf({ profile, address, namespace }: ConnectionChoice): TemporalTarget {
  const config = loadClientConnectConfig({
    ...(profile === undefined ? {} : { profile }),
    overrideEnvVars: {
      ...definedOnly(process.env),
      ...(address === undefined ? {} : { TEMPORAL_ADDRESS: address }),
      ...(namespace === undefined ? {} : { TEMPORAL_NAMESPACE: namespace }),
    },
  });
  return { connection: config.connectionOptions, namespace: config.namespace ?? 'default' };
}

/** The same choice for the `temporal` command, with a space before; empty where nothing was said. */
export function connectionFlags(choice: ConnectionChoice): string {
  return Object.entries(choice)
    .map(([name, value]) => ` --${name} ${shellWord(String(value))}`)
    .join('');
}

function definedOnly(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([k, v]) => (v === undefined || v === '' ? [] : [[k, v]])),
  );
}
