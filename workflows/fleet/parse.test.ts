import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FLEET_MESSAGES } from './messages.js';
import type { FleetMessageName } from './messages.js';
import { parseFleetMessage, parseFleetReport, parseRequest, parseReturn } from './parse.js';

const NAMES = { regions: ['eu-north', 'eu-west', 'eu-central', 'us-east'], groups: ['canary', 'europe'] };
const UNDECODABLE = { undecodable: true, encoding: 'bogus/thing', reason: 'unknown' };

describe('messages to the fleet', () => {
  it('are refused with every problem at once', () => {
    expect(
      parseFleetMessage('rollout', { key: '', why: 'x'.repeat(901), regions: ['mars', 'europe'], stage: 1 }, NAMES),
    ).toEqual({
      ok: false,
      reason: [
        'key must be a non-empty string',
        'who must be a non-empty string',
        'why is longer than 900 characters',
        'regions names nothing of the fleet: mars (one of eu-north, eu-west, eu-central, us-east, canary, europe)',
        'rollout has no field "stage" (one of key, who, why, regions)',
      ].join('; '),
    });
    expect(parseFleetMessage('freeze-all', UNDECODABLE, NAMES)).toMatchObject({ ok: false });
  });

  it('of regions are taken whole or refused', () => {
    const request = {
      ...{ region: 'eu-west', number: 1, what: 'replan', planHash: null, neighbours: ['eu-central'] },
      ...{ workflowId: 'region/eu-west', permitMs: 1000 },
    };
    expect(parseRequest(request)).toEqual({ ok: true, message: request });
    expect(parseRequest({ ...request, workflowId: 'somebody-else' })).toMatchObject({ ok: false });
    const report = {
      region: 'eu-west',
      number: 0,
      what: 'replan',
      outcome: 'done',
      detail: 'x'.repeat(999),
      startedMs: 0,
    };
    const parsed = parseReturn(report);
    expect(parsed.ok && parsed.message.detail.length).toBe(300);
    expect(parseFleetReport({ region: 'eu-west', state: 'blocked', detail: 'drift' }).ok).toBe(true);
  });

  it('never throw, whatever they hold, and what passes has what it needs', () => {
    const field = fc.constantFrom('key', 'who', 'why', 'regions', 'except', 'region', 'number', 'what', '__proto__');
    const raw = fc.oneof(fc.anything(), fc.dictionary(field, fc.anything()), fc.constant(UNDECODABLE));
    fc.assert(
      fc.property(raw, fc.constantFrom(...FLEET_MESSAGES), (message, name) => {
        const parsed = parseFleetMessage(name, message, NAMES);
        if (parsed.ok) expect(typeof parsed.message.key).toBe('string');
        else expect(parsed.reason.length).toBeGreaterThan(10);
        for (const parse of [parseRequest, parseReturn, parseFleetReport]) {
          const report = parse(message);
          if (report.ok) expect(typeof report.message.region).toBe('string');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('as docs/fleet.md has them are what the parser takes', () => {
    const page = readFileSync(new URL('../../docs/fleet.md', import.meta.url), 'utf8');
    const line = /temporal workflow (?:signal|update execute) --workflow-id fleet --name ([\w-]+) --input '([^']+)'/g;
    const found = [...page.matchAll(line)].map(([, name = '', json = '']) => ({
      name: name as FleetMessageName,
      json,
    }));
    expect([...new Set(found.map(({ name }) => name))].sort()).toEqual([...FLEET_MESSAGES].sort());
    for (const { name, json } of found) {
      expect(parseFleetMessage(name, JSON.parse(json) as unknown, NAMES)).toMatchObject({ ok: true });
    }
  });
});
