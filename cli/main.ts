import { EXIT } from './output.js';
import { createProgram } from './program.js';
import { run } from './run.js';

// A reader that has seen enough (`psmg … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok);
});

await run(await createProgram(process.argv[2]), process.argv);
