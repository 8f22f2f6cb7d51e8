import { spawn } from 'node:child_process';
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { QueueFullError, QueueLockedError } from '../errors.js';
import type { DiskQueue, DiskQueueOptions } from './diskQueue.js';
import { openDiskQueue } from './diskQueue.js';

let directory: string;
let queues: DiskQueue[];
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'psmg-queue-'));
  queues = [];
});
afterEach(async () => {
  for (const queue of queues) await queue.close();
  rmSync(directory, { recursive: true });
});

function opened(options: Partial<DiskQueueOptions> = {}): DiskQueue {
  const queue = openDiskQueue({ directory, maxBytes: 1e6, ...options });
  queues.push(queue);
  return queue;
}

const record = (text: string, values = 1): { payload: Buffer; values: number } => ({
  payload: Buffer.from(`${text}\n`),
  values,
});

async function takeAll(queue: DiskQueue, maxBytes = 1000): Promise<string[]> {
  const lines: string[] = [];
  for (;;) {
    const batch = await queue.peek(maxBytes);
    if (batch === null) return lines;
    lines.push(...batch.payload.toString().trimEnd().split('\n'));
    await queue.acknowledge(batch);
  }
}

const segments = (): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.seg'))
    .sort();

describe('the queue on disk', () => {
  it('gives back in order what was appended, and counts what waits', async () => {
    const queue = opened({ segmentBytes: 200 });
    for (let i = 0; i < 40; i += 1) await queue.append([record(`line ${i}`, 2)]);
    expect(queue.size().values).toBe(80);
    expect(await takeAll(queue, 100)).toEqual(Array.from({ length: 40 }, (_, i) => `line ${i}`));
    expect(queue.size()).toEqual({ bytes: 0, values: 0 });
    // What was taken does not stay on disk.
    expect(segments().length).toBe(1);
  });

  it('gives the same batch until it is acknowledged', async () => {
    const queue = opened();
    await queue.append([record('a')]);
    const first = await queue.peek(1000);
    await queue.append([record('b')]);
    expect(first?.payload.toString()).toBe('a\n');
    if (first !== null) await queue.acknowledge(first);
    expect(await takeAll(queue)).toEqual(['b']);
  });

  it('gives one batch at least, however large', async () => {
    const queue = opened();
    await queue.append([record('x'.repeat(50_000))]);
    expect((await queue.peek(10))?.payload.length).toBe(50_001);
  });

  it('goes on where it was when it is opened again', async () => {
    const first = opened({ segmentBytes: 100 });
    for (const text of ['a', 'b', 'c', 'd', 'e', 'f']) await first.append([record(text, 3)]);
    const batch = await first.peek(1);
    if (batch !== null) await first.acknowledge(batch);
    await first.close();
    const second = opened({ segmentBytes: 100 });
    expect(second.size().values).toBe(15);
    await second.append([record('g')]);
    expect(await takeAll(second)).toEqual(['b', 'c', 'd', 'e', 'f', 'g']);
    await second.close();
    expect(await takeAll(opened())).toEqual([]);
  });

  it('sends everything again when the cursor is lost', async () => {
    const first = opened();
    await first.append([record('a')]);
    await takeAll(first);
    await first.close();
    writeFileSync(path.join(directory, 'cursor.json'), '');
    expect(await takeAll(opened())).toEqual(['a']);
  });

  it('keeps nothing of a batch that has no room, and takes more once there is some', async () => {
    const queue = opened({ maxBytes: 1000 });
    const kept: string[] = [];
    for (let i = 0; i < 100; i += 1) {
      const text = `${i} ${'x'.repeat(50)}`;
      const full = await queue.append([record(text), record(text)]).then(
        () => false,
        (error: unknown) => error instanceof QueueFullError,
      );
      if (!full) kept.push(text, text);
    }
    expect(kept.length).toBeLessThan(20);
    expect(queue.size().bytes).toBeLessThanOrEqual(1000);
    expect(await takeAll(queue)).toEqual(kept);
    await queue.append([record('again')]);
    expect(await takeAll(queue)).toEqual(['again']);
  });

  it('counts appends that are under way against the bound', async () => {
    const queue = opened({ maxBytes: 1000 });
    const all = await Promise.allSettled(Array.from({ length: 50 }, () => queue.append([record('x'.repeat(84))])));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(9);
    expect(await takeAll(queue)).toHaveLength(9);
  });

  it('cuts a torn end, wherever it is torn, and keeps all before it', async () => {
    const writer = opened();
    for (const text of ['first', 'second', 'third']) await writer.append([record(text)]);
    await writer.close();
    const file = path.join(directory, segments()[0] ?? '');
    const whole = readFileSync(file);
    const third = whole.length - (16 + 'third\n'.length);
    for (let length = third; length < whole.length; length += 1) {
      writeFileSync(file, whole.subarray(0, length));
      const queue = opened();
      expect(await queue.peek(1000)).toMatchObject({ payload: Buffer.from('first\nsecond\n'), values: 2 });
      await queue.close();
      expect(statSync(file).size).toBe(third);
    }
  });

  it('finds whatever was appended after a torn end was cut', async () => {
    const writer = opened();
    await writer.append([record('first')]);
    await writer.append([record('torn')]);
    await writer.close();
    const file = path.join(directory, segments()[0] ?? '');
    truncateSync(file, statSync(file).size - 3);
    const queue = opened();
    await queue.append([record('after')]);
    expect(await takeAll(queue)).toEqual(['first', 'after']);
  });

  it('cuts bytes that are no record', async () => {
    const writer = opened();
    await writer.append([record('first')]);
    await writer.close();
    appendFileSync(path.join(directory, segments()[0] ?? ''), Buffer.alloc(4096));
    const queue = opened();
    await queue.append([record('after')]);
    expect(await takeAll(queue)).toEqual(['first', 'after']);
  });

  it('sets a file aside that was damaged later, says so, and goes on', async () => {
    const writer = opened({ segmentBytes: 60 });
    for (let i = 0; i < 9; i += 1) await writer.append([record(`line ${i}`)]);
    await writer.close();
    const [damaged = ''] = segments();
    const bytes = readFileSync(path.join(directory, damaged));
    bytes[bytes.length - 2] = 0;
    writeFileSync(path.join(directory, damaged), bytes);
    const said: string[] = [];
    const queue = opened({ segmentBytes: 60, log: (line) => said.push(line) });
    expect(await takeAll(queue)).toEqual([0, 1, 3, 4, 5, 6, 7, 8].map((i) => `line ${i}`));
    expect(queue.size()).toEqual({ bytes: 0, values: 0 });
    expect(readdirSync(directory)).toContain(`damaged-${damaged}`);
    expect(said.join()).toContain(`damaged-${damaged}`);
  });

  it('belongs to one store at a time', async () => {
    const first = opened();
    expect(() => openDiskQueue({ directory, maxBytes: 1 })).toThrow(QueueLockedError);
    await first.close();
    await expect(opened().append([record('a')])).resolves.toBeUndefined();
  });

  it('does as a list does, whatever is appended, taken and opened again', async () => {
    type Step = { do: 'append'; size: number } | { do: 'take'; bytes: number } | { do: 'open' };
    const steps = fc.array(
      fc.oneof(
        fc.record({ do: fc.constant('append' as const), size: fc.integer({ min: 0, max: 120 }) }),
        fc.record({ do: fc.constant('take' as const), bytes: fc.integer({ min: 1, max: 300 }) }),
        fc.record({ do: fc.constant('open' as const) }),
      ),
      { maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (all: readonly Step[]) => {
        const folder = mkdtempSync(path.join(directory, 'run-'));
        const options = { directory: folder, maxBytes: 1e6, segmentBytes: 150 };
        let queue = openDiskQueue(options);
        let expected: string[] = [];
        let count = 0;
        for (const step of all) {
          if (step.do === 'append') {
            const text = `${'x'.repeat(step.size)}${(count += 1)}`;
            await queue.append([record(text)]);
            expected.push(text);
          } else if (step.do === 'take') {
            const batch = await queue.peek(step.bytes);
            const lines = batch?.payload.toString().trimEnd().split('\n') ?? [];
            expect(lines).toEqual(expected.slice(0, Math.max(lines.length, Math.min(1, expected.length))));
            if (batch !== null) await queue.acknowledge(batch);
            expected = expected.slice(lines.length);
          } else {
            await queue.close();
            queue = openDiskQueue(options);
          }
          expect(queue.size().values).toBe(expected.length);
        }
        expect(await takeAll(queue)).toEqual(expected);
        await queue.close();
      }),
      { numRuns: 40 },
    );
  });

  it('has everything that it said it kept after its process was killed in the midst of writing', async () => {
    const script = path.join(import.meta.dirname, 'appendForever.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.length > 3000) child.kill('SIGKILL');
    });
    await new Promise((resolve) => child.once('close', resolve));
    const kept = said
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split(' ').map(Number));
    const found = new Set(await takeAll(opened()));
    const missing = kept.filter(([worker, i]) => !found.has(`m,worker=${worker} i=${i} ${i}`));
    expect(kept.length).toBeGreaterThan(100);
    expect(missing).toEqual([]);
    // In the order of their writes, as far as each of the writers goes.
    const orders = [...found]
      .filter((line) => line.startsWith('m,worker=1 '))
      .map((line) => Number(line.split(' ')[2]));
    expect(orders).toEqual(orders.map((_, i) => i));
  });
});
