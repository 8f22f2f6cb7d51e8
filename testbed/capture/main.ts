import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleWorkflows } from '../../workers/bundle.js';
import { keepStdoutForResults, readHistories, replayHistories } from '../../workers/replay.js';
import { projectRoot } from '../run.js';
import { captureReal } from './real.js';
import { saveRuns } from './save.js';
import { captureScripted } from './scripted.js';

const HELP = `npm run capture:histories [-- options]: lives that replay tests keep, from real runs
  --into VERSION    folder below test/replay/histories (default v1)
  --only LIFE,…     scripted lives by name; absent: all, and the real ones
  --replace         throw away what the folder holds; only before anybody runs that version
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      into: { type: 'string', default: 'v1' },
      only: { type: 'string' },
      replace: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  keepStdoutForResults();
  const bundle = await bundleWorkflows();
  say('living the scripted lives');
  const scripted = await captureScripted(bundle, values.only?.split(','));
  const runs = [...(values.only === undefined ? await captureReal(say) : []), ...scripted];
  const folder = path.join(projectRoot, 'test', 'replay', 'histories', values.into);
  saveRuns(folder, runs, values.replace);
  const replayed = await replayHistories(bundle, await readHistories([folder]));
  for (const { name, error } of replayed) say(`${path.relative(projectRoot, name)}: ${error ?? 'replays'}`);
  if (replayed.some(({ error }) => error !== null)) process.exitCode = 1;
}

await main();
