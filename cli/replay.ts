import type { Command } from 'commander';
import { EXIT, printJson } from './output.js';

const FIXTURES = 'test/replay/histories';

export function registerReplay(program: Command): void {
  program
    .command('replay')
    .description('replay saved histories against the workflows of this build')
    .argument('[path...]', `history files (.json, .json.gz) or folders; absent: ${FIXTURES}`)
    .option('--format <format>', 'text or json', 'text')
    .action(async (paths: string[], options: { format: 'text' | 'json' }) => {
      const [{ bundleWorkflows }, { keepStdoutForResults, readHistories, replayHistories }] = await Promise.all([
        import('../workers/bundle.js'),
        import('../workers/replay.js'),
      ]);
      const histories = await readHistories(paths.length === 0 ? [FIXTURES] : paths);
      if (histories.length === 0) throw new Error('no history was found');
      keepStdoutForResults();
      const results = await replayHistories(await bundleWorkflows(), histories);
      if (options.format === 'json') printJson({ results });
      else for (const { name, error } of results) process.stdout.write(`${name}: ${error ?? 'replays'}\n`);
      if (results.some((result) => result.error !== null)) process.exitCode = EXIT.notSo;
    });
}
