import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startLoad } from '../load.js';
import type { LoadConfig } from '../load.js';
import { stopOnSignal } from '../processes.js';

const { values } = parseArgs({ options: { config: { type: 'string' } } });
if (values.config === undefined) throw new Error('usage: main.ts --config FILE');
const load = await startLoad(JSON.parse(readFileSync(values.config, 'utf8')) as LoadConfig);
process.stdout.write(`${load.url}\n`);
stopOnSignal(async () => load.stop());
