import { openDiskQueue } from './diskQueue.js';

/**
 * Run as a process of its own by a test that kills it: appends numbered batches to the folder given and says the number
 * of each on stdout once it is kept.
 */
const queue = openDiskQueue({ directory: process.argv[2] ?? '', maxBytes: 1e9, segmentBytes: 20_000 });
const appendAll = async (worker: number): Promise<void> => {
  for (let i = 0; ; i += 1) {
    const line = `m,worker=${worker} i=${i} ${i}\n`;
    await queue.append([{ payload: Buffer.from(line + line.repeat(i % 7)), values: 1 + (i % 7) }]);
    process.stdout.write(`${worker} ${i}\n`);
  }
};
await Promise.all([0, 1, 2].map(appendAll));
