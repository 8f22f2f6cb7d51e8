import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { afterAll, beforeAll } from '@jest/globals';

import { eventSourceContract } from './contract.js';
import type { Feed } from './feed.js';
import { startFeed, text } from './feed.js';
import { BODIES, LIST, PLACED, placed } from './samples.js';

for (const kind of PLACED) {
  eventSourceContract(`a file of kind ${kind}`, async (directory) => {
    await writeFile(path.join(directory, 'feed'), BODIES[kind]);
    return { sound: placed(kind, { file: 'feed' }), broken: placed(kind, { file: 'none' }) };
  });
}

eventSourceContract('holidays', () => {
  const holidays = { kind: 'holidays', types: ['public'], eventKind: 'holiday' } as const;
  return Promise.resolve({ sound: { ...holidays, country: 'DE' }, broken: { ...holidays, country: 'ZZ' } });
});

let service: Feed;
beforeAll(async () => {
  service = await startFeed(text(JSON.stringify(LIST)));
});
afterAll(() => service.close());
eventSourceContract('a calendar service', () =>
  Promise.resolve({
    sound: { kind: 'calendar', url: service.url },
    broken: { kind: 'calendar', url: service.url, tokenVariable: 'NOT_SET' },
  }),
);
