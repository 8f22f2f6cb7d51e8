import { describe, expect, it } from '@jest/globals';
import type { LogFormat } from './log.js';
import { createLog } from './log.js';

function logged(format: LogFormat): { log: ReturnType<typeof createLog>; lines: string[] } {
  const lines: string[] = [];
  return { log: createLog({ format, level: 'info', output: (line) => lines.push(line) }), lines };
}

describe('createLog', () => {
  it('writes one JSON object an event, with the error and its cause', () => {
    const { log, lines } = logged('json');
    const error = new Error('no answer', { cause: new TypeError('fetch failed') });
    log.write('warn', 'tick failed', { region: 'north', planHash: 'abc', attempt: 2, error });
    log.write('debug', 'left out');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'warn',
      message: 'tick failed',
      region: 'north',
      planHash: 'abc',
      attempt: 2,
      error: { type: 'Error', message: 'no answer', cause: { type: 'TypeError', message: 'fetch failed' } },
    });
  });

  it('writes a line for people', () => {
    const { log, lines } = logged('text');
    log.write('info', 'planned', { region: 'north', words: 'two words', error: new Error('why') });
    expect(lines.join('')).toMatch(/^\S+Z INFO {2}planned region=north words="two words"\n {2}Error: why\n$/);
  });

  it.each<[LogFormat]>([['json'], ['text']])('masks what looks like a secret as %s', (format) => {
    const { log, lines } = logged(format);
    log.write('info', 'GET http://me:hunter2@host/ with Authorization: Bearer abcdef123456', {
      token: 'hunter2',
      nested: { headers: { authorization: 'hunter2' }, url: 'http://x/?token=hunter2' },
      error: new Error('refused: Token hunter2hunter2'),
    });
    const text = lines.join('');
    expect(text).toContain('[secret]');
    expect(text).not.toMatch(/hunter2|abcdef123456/);
  });
});
