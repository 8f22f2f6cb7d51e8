import { readdirSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { syncDirectory } from './queue/segments.js';

export interface RefusedLine {
  line: string;
  /** What the server said of it. */
  words: string;
}

/** Where lines wait that the server refuses: `rejected-<day>.lp`, line protocol after the server's words as a comment. */
export interface SetAside {
  keep(lines: readonly RefusedLine[], nowMs: number): Promise<void>;
  /** What was set aside and is still there. People mend or delete it. */
  held(): HeldAside;
}

export interface HeldAside {
  files: readonly string[];
  bytes: number;
}

export function setAsideIn(directory: string): SetAside {
  const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return {
    async keep(lines, nowMs) {
      const name = `rejected-${new Date(nowMs).toISOString().slice(0, 10)}.lp`;
      const file = await open(path.join(directory, name), 'a');
      try {
        let text = '';
        let last = '';
        for (const { line, words } of lines) {
          // Thousands of lines of one cause have the same words, but for the times in them.
          if (words !== last) text += `# ${words.replace(/\s+/g, ' ')}\n`;
          text += `${line}\n`;
          last = words;
        }
        await file.appendFile(text);
        await file.datasync();
      } finally {
        await file.close();
      }
      syncDirectory(directory);
    },
    held() {
      const files = readdirSync(directory)
        .filter((name) => /^(rejected|damaged)-/.test(name))
        .sort()
        .map((name) => path.join(directory, name));
      return { files, bytes: files.reduce((sum, file) => sum + sizeOf(file), 0) };
    },
  };
}
