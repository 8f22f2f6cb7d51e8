import type { Command } from 'commander';
import { Argument } from 'commander';
import { commandTree } from './commandTree.js';
import type { Shell } from './completionScripts.js';
import { SHELLS, completionScript } from './completionScripts.js';

/** Of the whole program, whatever is registered before or after this. */
export function registerCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes commands, options and names of regions: source <(psmg completion bash)')
    .addArgument(new Argument('<shell>', 'whose script').choices(SHELLS))
    .action((shell: Shell) => {
      process.stdout.write(completionScript(shell, commandTree(program)));
    });
  program
    .command('__complete', { hidden: true })
    .description('what the scripts ask for')
    .addArgument(new Argument('<what>').choices(['regions']))
    .action(async () => {
      const { listRegions } = await import('./listRegions.js');
      // A person waits at the prompt: no server is no name, and no message.
      const rows = await listRegions(false, {}).catch(() => []);
      for (const { region } of rows) process.stdout.write(`${region}\n`);
    });
}
