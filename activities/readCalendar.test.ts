import { describe, expect, it } from '@jest/globals';

import type { ArtifactRef } from '../core/spec/artifact.js';
import { shopRegion } from '../test/fixtures/regionSpec.js';
import type { ActivityRun, Ports } from './ports.js';
import { readCalendar } from './readCalendar.js';

const specRef: ArtifactRef = { kind: 'region', hash: 'h', bytes: 1 };
const fromMs = Date.parse('2026-11-25T00:00:00Z');

function read(spec: object): ReturnType<ReturnType<typeof readCalendar>> {
  const ports = { artifacts: { getJson: () => Promise.resolve(spec) } } as unknown as Ports;
  return readCalendar(ports)({ specRef, fromMs }, {} as ActivityRun);
}

describe('readCalendar', () => {
  it('reads the freezes of the region file', async () => {
    const freezes = [{ why: 'sale', from: '2026-11-26T00:00:00Z', to: '2026-11-27T00:00:00Z' }];
    expect(await read(shopRegion({ freezes }))).toEqual({
      freezes: [{ fromMs: fromMs + 86_400_000, toMs: fromMs + 2 * 86_400_000, why: 'sale' }],
      untilMs: fromMs + 28 * 86_400_000,
    });
  });

  it('knows of none where there are none', async () => {
    expect(await read(shopRegion())).toEqual({ freezes: [], untilMs: fromMs + 28 * 86_400_000 });
  });
});
