import { describe, expect, it } from '@jest/globals';

import { toYaml } from './document.js';

describe('toYaml', () => {
  it.each(['no', 'on', 'y', 'off', 'true', 'null', '12', '~'])(
    'quotes the text %s, which no reader may take for another',
    (text) => {
      expect(toYaml({ name: text }, 'one')).toContain(`name: "${text}"`);
    },
  );

  it('leaves other texts bare', () => {
    expect(toYaml({ name: 'north', after: '0.25s', many: 12, is: true }, 'one')).toContain(
      'name: north\nafter: 0.25s\nmany: 12\nis: true',
    );
  });
});
