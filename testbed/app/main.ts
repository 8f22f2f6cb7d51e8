import { parseArgs } from 'node:util';
import { stopOnSignal } from '../processes.js';
import { readApplicationConfig } from './config.js';
import { startOrchestrator } from './orchestrator.js';

const { values } = parseArgs({ options: { config: { type: 'string' } } });
if (values.config === undefined) throw new Error('usage: main.ts --config FILE');
const orchestrator = await startOrchestrator(readApplicationConfig(values.config));
process.stdout.write(`${orchestrator.url}\n`);
stopOnSignal(async () => orchestrator.stop());
