import { createInterface } from 'node:readline/promises';
import { EXIT } from './output.js';
import { Told } from './told.js';

/** What is asked for, and by what it was confirmed on the command line. */
export interface Confirmation {
  region: string;
  /** What will happen, as a person would say it. */
  what: string;
  yes?: string;
}

/**
 * Returns once a person has typed the region's name, or `--yes` has named it. Anything else throws with what to give:
 * the name, and not "yes", so that the wrong terminal or a line out of the history does no harm.
 */
export async function confirmed({ region, what, yes }: Confirmation): Promise<void> {
  if (yes === region) return;
  if (yes !== undefined) {
    throw new Told(`--yes names "${yes}" and the message goes to "${region}": nothing was sent`, EXIT.badInput);
  }
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new Told(`${what}: confirm it with --yes ${region}; nothing was sent`, EXIT.badInput);
  }
  const typed = await typedName(`${what}.\nType the region's name to go on: `);
  if (typed.trim() !== region) throw new Told('that is not its name: nothing was sent', EXIT.badInput);
}

async function typedName(question: string): Promise<string> {
  // On stderr: stdout is the result's.
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const gone = new Promise<string>((resolve) => reader.once('close', () => resolve('')));
    return await Promise.race([reader.question(question), gone]);
  } finally {
    reader.close();
  }
}
