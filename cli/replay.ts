import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { ReplayResult, SavedHistory } from '../workers/replay.js';
import type { HistoryQuery } from '../workers/verify.js';
import type { ConnectionChoice } from './connection.js';
import { choiceOf, connectionOptions, targetOf } from './connection.js';
import { EXIT, printJson } from './output.js';

const FIXTURES = 'test/replay/histories';

interface ReplayOptions {
  format: 'text' | 'json';
  fromServer?: string | true;
  limit: number;
  timeout: number;
  workflows?: string;
}

export function registerReplay(program: Command): void {
  connectionOptions(program.command('replay'))
    .description('replay saved histories, or those of a server, against the workflows of this build')
    .argument('[path...]', `history files (.json, .json.gz) or folders; absent: ${FIXTURES}`)
    .option('--from-server [query]', 'workflows that a visibility query finds; absent: the regions that run')
    .option('--limit <count>', 'at most this many histories from the server', atLeastOne, 100)
    .option('--timeout <seconds>', 'for fetching them', atLeastOne, 60)
    .option('--workflows <folder>', 'a copy of the folder `workflows` to replay against; absent: that of this build')
    .option('--format <format>', 'text or json', 'text')
    .action(async (paths: string[], options: ReplayOptions, command: Command) => {
      const { fromServer } = options;
      if (fromServer !== undefined && paths.length > 0) {
        process.stderr.write('give files or --from-server, not both\n');
        process.exitCode = EXIT.badInput;
        return;
      }
      const { readHistories } = await import('../workers/replay.js');
      const histories =
        fromServer === undefined
          ? await readHistories(paths.length === 0 ? [FIXTURES] : paths)
          : await historiesFromServer(fromServer === true ? undefined : fromServer, options, choiceOf(command));
      if (histories === null) return;
      await replayAndPrint(histories, options);
    });
}

/** Prints a line a history, and sets exit code 1 where one does not replay or there is none. */
export async function replayAndPrint(
  histories: readonly SavedHistory[],
  { format, workflows }: { format: 'text' | 'json'; workflows?: string },
): Promise<void> {
  if (histories.length === 0) throw new Error('no history was found');
  const [{ bundleWorkflows }, { keepStdoutForResults, replayHistories, replayLine }] = await Promise.all([
    import('../workers/bundle.js'),
    import('../workers/replay.js'),
  ]);
  // Not before there is something to replay: it keeps the process alive until a worker has ended.
  keepStdoutForResults();
  const results = await replayHistories(await bundleWorkflows(workflows === undefined ? {} : { workflows }), histories);
  if (format === 'json') printJson({ results });
  else for (const result of results) process.stdout.write(`${replayLine(result)}\n`);
  if (results.some((result: ReplayResult) => result.error !== null)) process.exitCode = EXIT.notSo;
}

/** `null`, with exit code 2 and the reason on stderr: the server cannot be asked. */
export async function historiesFromServer(
  query: string | undefined,
  options: { limit: number; timeout: number },
  choice: ConnectionChoice,
): Promise<readonly SavedHistory[] | null> {
  const [{ connectClient }, { RUNNING_REGIONS, fetchHistories }] = await Promise.all([
    import('../workers/connect.js'),
    import('../workers/verify.js'),
  ]);
  const wanted: HistoryQuery = {
    query: query ?? RUNNING_REGIONS,
    limit: options.limit,
    timeoutMs: options.timeout * 1000,
  };
  try {
    const { connection, namespace } = targetOf(choice);
    const client = await connectClient({ connection: { ...connection, connectTimeout: wanted.timeoutMs }, namespace });
    try {
      return await fetchHistories(client, wanted);
    } finally {
      await client.connection.close();
    }
  } catch (error) {
    const { message, cause } = error instanceof Error ? error : new Error(String(error));
    const why = cause instanceof Error ? `${message}: ${cause.message}` : message;
    process.stderr.write(`the server cannot be asked for ${wanted.query}: ${why}\n`);
    process.exitCode = EXIT.badInput;
    return null;
  }
}

export function atLeastOne(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('a whole number of at least 1');
  return value;
}
