import type { Command } from 'commander';
import { CommanderError } from 'commander';
import { EXIT } from './output.js';
import { Told } from './told.js';

/** Runs one command; what goes wrong is told on stderr and in the exit code. `argv` as Node has it. */
export async function run(program: Command, argv: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
      return;
    }
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    if (process.env['PSMG_DEBUG'] !== undefined && error instanceof Error)
      process.stderr.write(`${error.stack ?? ''}\n`);
    process.exitCode = error instanceof Told ? error.exit : EXIT.notSo;
  }
}
