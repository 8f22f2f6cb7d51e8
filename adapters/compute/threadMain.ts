import { parentPort } from 'node:worker_threads';
import { loadForecastEngines } from '../wasm/augurs.js';
import { serve } from './serve.js';
import { workOf } from './work.js';

if (parentPort === null) throw new Error('this file is the start of a thread');
serve(parentPort, workOf(await loadForecastEngines()));
