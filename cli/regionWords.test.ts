import { describe, expect, it } from '@jest/globals';
import { confirmed } from './confirm.js';
import { MESSAGE_COMMANDS } from './messageCommands.js';
import { messageOf, refusalOf } from './messageOf.js';
import { duration } from './options.js';
import { asPreview } from './regionStart.js';
import { quoted, shellWord } from './shellWord.js';
import { changesBetween } from './watchFacts.js';
import { MESSAGE_NAMES } from '../workflows/regionLifecycle/messages.js';

const base = { key: 'k', who: 'ada', why: 'test' };

function command(name: string): (typeof MESSAGE_COMMANDS)[number] {
  const found = MESSAGE_COMMANDS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no command ${name}`);
  return found;
}

describe('messages as commands', () => {
  it('there is one for every message', () => {
    expect(MESSAGE_COMMANDS.map(({ name }) => name).sort()).toEqual([...MESSAGE_NAMES].sort());
  });

  it('numbers are numbers, a hash of digits is none', () => {
    expect(messageOf(command('override'), base, ['a.rateLimit.rps', '12.5'], {})).toMatchObject({ value: 12.5 });
    expect(messageOf(command('override'), base, ['a.lb.policy', 'RANDOM'], {})).toMatchObject({ value: 'RANDOM' });
    const digits = '1'.repeat(64);
    expect(messageOf(command('repair'), base, ['current-hash', digits], {})).toMatchObject({ value: digits });
  });

  it('an option that was not given is no field', () => {
    const message = messageOf(command('set-autonomy'), base, ['act'], { service: undefined, class: 'weight' });
    expect(message).toEqual({ ...base, level: 'act', class: 'weight' });
    expect(refusalOf('set-autonomy', message, null)).toBeNull();
  });

  it('names are checked where they are known', () => {
    const message = messageOf(command('override'), base, ['shop.weight.north', '50'], {});
    expect(refusalOf('override', message, null)).toBeNull();
    expect(refusalOf('override', message, { services: ['shop'], regions: ['north'] })).toBeNull();
    expect(refusalOf('override', message, { services: ['shop'], regions: ['south'] })).toContain('weight.south');
    expect(refusalOf('override', { ...message, value: 101 } as never, null)).toContain('at most 100');
  });
});

describe('confirmation', () => {
  it('takes the name of the region and nothing else', async () => {
    const asked = { region: 'north', what: 'drain' };
    await expect(confirmed({ ...asked, yes: 'north' })).resolves.toBeUndefined();
    await expect(confirmed({ ...asked, yes: 'south' })).rejects.toMatchObject({ exit: 2 });
  });
});

describe('start --preview', () => {
  it('adds the mode and keeps comments', () => {
    const made = asPreview('# mine\nname: north # here\n', 'r.yaml');
    expect(made).toMatchObject({ ok: true, value: '# mine\nname: north # here\nmode: preview\n' });
  });

  it('leaves preview, and refuses what says live', () => {
    expect(asPreview('mode: preview\n', 'r.yaml')).toMatchObject({ ok: true, value: 'mode: preview\n' });
    const refused = asPreview('name: north\nmode: live\n', 'r.yaml');
    expect(refused).toMatchObject({ ok: false, problems: [{ file: 'r.yaml', line: 2, field: 'mode' }] });
  });
});

describe('words', () => {
  it('are quoted for a shell where they have to be', () => {
    expect(shellWord('region/north')).toBe('region/north');
    expect(shellWord('a b')).toBe("'a b'");
    expect(quoted("it's")).toBe(`'it'\\''s'`);
  });

  it.each([
    ['2s', 2000],
    ['500ms', 500],
    ['1.5m', 90_000],
  ])('%s is a time', (text, ms) => {
    expect(duration(text)).toBe(ms);
  });

  it.each(['2', '1ms', '', '-1s', '2 s'])('%p is none', (text) => {
    expect(() => duration(text)).toThrow();
  });
});

describe('changes', () => {
  const at = { at: 'now', region: 'north' };

  it('tell what is there at the first look, then only what is other', () => {
    expect(changesBetween(null, { phase: 'operating', blocked: null }, at)).toMatchObject([
      { field: 'phase', from: null, to: 'operating' },
    ]);
    const changed = changesBetween({ phase: 'operating', blocked: null }, { phase: 'blocked', blocked: 'drift' }, at);
    expect(changed.map(({ field, from, to }) => [field, from, to])).toEqual([
      ['phase', 'operating', 'blocked'],
      ['blocked', null, 'drift'],
    ]);
  });

  it('what one look does not tell has not changed', () => {
    expect(changesBetween({ phase: 'operating' }, { phase: 'operating', line: 'operating' }, at)).toEqual([]);
  });
});
