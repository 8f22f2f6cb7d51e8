import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { discardGoCaches } from './parts/go.js';
import { cacheDirectory } from './parts/locate.js';
import { setUpItems, setUpParts } from './parts/setup.js';
import type { Purpose } from './parts/setup.js';
import { setUpSshd } from './parts/sshd.js';

const PURPOSES: readonly Purpose[] = ['all', 'start', 'parts'];

/** Ended by a signal, nothing that we started goes on. What is not interrupted at once is left to end by itself. */
function abortedBySignals(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => {
      controller.abort(new Error(`broken off by ${name}`));
      setTimeout(() => process.exit(128 + constants.signals[name]), 2_000).unref();
    });
  }
  return controller.signal;
}

/** `--for all|start|parts`: brings the real parts. Progress and errors go to stderr; exit code 1 when a part is missing. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { for: { type: 'string', default: 'all' } } });
  const purpose = PURPOSES.find((one) => one === values.for) ?? 'all';
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const address = process.env['TEMPORAL_ADDRESS'];
  if (purpose === 'start' && address) say(`part temporal … TEMPORAL_ADDRESS is used (${address})`);
  try {
    await setUpParts(setUpItems(purpose, process.env, abortedBySignals()), { say });
    if (purpose !== 'parts') return;
    await discardGoCaches(cacheDirectory());
    await setUpSshd({ say });
  } catch (error) {
    say(`psmg: ${error instanceof Error ? error.message : String(error)}`);
    say(`(cache folder: ${cacheDirectory()}; PSMG_CACHE overrides it)`);
    process.exitCode = 1;
  }
}

await main();
