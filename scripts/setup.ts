import { parseArgs } from 'node:util';
import { cacheDirectory } from './parts/locate.js';
import { setUpItems, setUpParts } from './parts/setup.js';
import { setUpSshd } from './parts/sshd.js';

/** `--for all|start|parts`: brings the real parts. Progress and errors go to stderr; exit code 1 when a part is missing. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { for: { type: 'string', default: 'all' } } });
  const purpose = values.for === 'start' ? 'start' : 'all';
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const address = process.env['TEMPORAL_ADDRESS'];
  if (purpose === 'start' && address) say(`part temporal … TEMPORAL_ADDRESS is used (${address})`);
  try {
    await setUpParts(setUpItems(purpose), { say });
    if (values.for === 'parts') await setUpSshd({ say });
  } catch (error) {
    say(`psmg: ${error instanceof Error ? error.message : String(error)}`);
    say(`(cache folder: ${cacheDirectory()}; PSMG_CACHE overrides it)`);
    process.exitCode = 1;
  }
}

await main();
