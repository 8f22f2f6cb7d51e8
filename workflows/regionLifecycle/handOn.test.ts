import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AcceptedRegion } from '../../activities/contract.js';
import { SETTING_FIELDS } from '../../core/spec/settings.js';
import { MAX_STATE_BYTES, bytesOf } from '../shared/bytes.js';
import { keyId } from '../shared/keyId.js';
import { fit, readRegionState } from './handOn.js';
import { packKeys, unpackKeys } from './keys.js';
import { MESSAGE_NAMES } from './messages.js';
import type { KeyRecord, LifecycleState } from './state.js';
import { initialState } from './state.js';

const AT = 1_800_000_000_000;

function accepted(services: number): AcceptedRegion {
  return {
    name: 'eu-west',
    specRef: { kind: 'region', hash: 'f'.repeat(64), bytes: 20_000 },
    autonomy: 'act',
    services: Array.from({ length: services }, (_, i) => `service-${i}`),
    regions: ['eu-west', 'eu-central'],
    hosts: ['edge-1', 'edge-2'],
    settingRules: SETTING_FIELDS,
    activationSteps: [10, 50, 100],
    maxInconclusive: 2,
    tunables: {
      ...{ tickMs: 1, judgeMs: 1, stackTimeoutMs: 1, deployTimeoutMs: 1, holdTimeoutMs: 1, ticksPerReport: 6 },
      ...{ maxOverrides: 256, maxKeys: 1024, keyLifetimeMs: 86_400_000 },
    },
    warnings: [],
  };
}

/** Overrides and keys at their limits, every list full. */
function fullState(services: number): LifecycleState {
  const state = initialState(accepted(services));
  const detail = 'shop.rateLimit.rps = 40: in force on every proxy';
  const record: KeyRecord = { atMs: AT, name: 'override', outcome: { accepted: true, detail } };
  const hash = 'e'.repeat(64);
  const deployment = {
    kind: 'stage',
    epoch: 9,
    hash,
    localPercent: 50,
    enforceLimits: true,
    entryMoved: true,
  } as const;
  return {
    ...state,
    keys: Object.fromEntries(
      Array.from({ length: 1024 }, (_, i) => [keyId(`9b2f6f0e-7a53-4c58-8a0b-${String(i).padStart(12, '0')}`), record]),
    ),
    overrides: Array.from({ length: 256 }, (_, i) => ({
      ...{ address: `service-${i}.rateLimit.rps`, value: 250, who: 'ada', why: 'spring sale' },
      until: '2027-01-15T08:00:00Z',
    })),
    refused: {
      total: 99,
      last: Array.from({ length: 40 }, () => ({
        name: 'override',
        reason: 'x'.repeat(1000),
        at: '2027-01-15T08:00:00Z',
      })),
    },
    deployments: Array.from({ length: 40 }, (_, i) => ({
      ...deployment,
      ...{
        id: i === 0 ? '0' : `${i}-stage-eeeeeeee`,
        kind: i === 0 ? 'baseline' : 'stage',
        at: '2027-01-15T08:00:00Z',
      },
    })),
    activation: Array.from({ length: 40 }, (_, attempt) => ({
      ...{ localPercent: 50, enforceLimits: false, attempt, verdict: 'inconclusive' as const },
      ...{ reason: 'too few requests to tell. '.repeat(8), at: '2027-01-15T08:00:00Z' },
    })),
  };
}

describe('the state of a region that is handed on', () => {
  it('stays below 64 KiB with 256 overrides, 1,024 keys and every list full, and loses none of the two', () => {
    const state = fullState(40);
    const { handed, dropped, bytes } = fit({ ...state, keys: packKeys(state.keys) }, MAX_STATE_BYTES);
    expect(bytes).toBe(bytesOf(JSON.parse(JSON.stringify(handed))));
    expect(bytes).toBeLessThanOrEqual(MAX_STATE_BYTES);
    expect(dropped.length).toBeGreaterThan(0);
    const read = readRegionState(JSON.parse(JSON.stringify(handed)));
    expect(read.overrides).toEqual(state.overrides);
    expect(Object.keys(read.keys)).toEqual(Object.keys(state.keys));
    expect(Object.values(read.keys).every((record) => record.outcome?.accepted === true)).toBe(true);
    expect(read.deployments[0]?.kind).toBe('baseline');
    expect(read.refused.total).toBe(99);
  });

  it('goes through JSON as it is where there is room', () => {
    const key = fc.oneof(fc.string({ minLength: 1, maxLength: 128 }), fc.constantFrom('__proto__', 'constructor'));
    const record = fc.record({
      atMs: fc.integer({ min: 1, max: 2_000_000_000 }).map((seconds) => seconds * 1000),
      name: fc.constantFrom(...MESSAGE_NAMES),
      outcome: fc.option(fc.record({ accepted: fc.boolean(), detail: fc.string({ minLength: 1, maxLength: 80 }) })),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(key, record), { maxLength: 20 }), fc.nat(), (entries, epoch) => {
        const keys = Object.fromEntries(entries.map(([text, value]) => [keyId(text), value]));
        const state: LifecycleState = { ...initialState(accepted(2)), epoch, keys };
        const { handed } = fit({ ...state, keys: packKeys(keys) }, MAX_STATE_BYTES);
        const read = readRegionState(JSON.parse(JSON.stringify(handed)));
        expect(read).toEqual(JSON.parse(JSON.stringify(state)));
      }),
    );
  });

  it('is read from schema 1, whose keys were written out', () => {
    const long = 'a key of more than twenty-two characters';
    const outcome = { accepted: true, detail: 'done' };
    const old = { ...initialState(accepted(2)), schema: 1, keys: { [long]: { atMs: AT, name: 'freeze', outcome } } };
    const read = readRegionState(JSON.parse(JSON.stringify(old)));
    expect(read.schema).toBe(2);
    expect(read.keys).toEqual({ [keyId(long)]: { atMs: AT, name: 'freeze', outcome } });
  });

  it('counts what of the audit it leaves behind', () => {
    const state = fullState(40);
    const note = {
      key: 'k',
      at: '2027-01-15T08:00:00Z',
      kind: 'phase',
      who: 'psmg',
      why: 'x'.repeat(900),
      subject: 's',
    };
    const pending = Array.from({ length: 24 }, () => ({
      ...note,
      from: null,
      to: null,
      planHash: null,
      result: null,
      runId: 'r',
    }));
    const audit = { noted: 24, pending, head: null, lost: null, problem: null } as unknown as NonNullable<
      LifecycleState['audit']
    >;
    const { handed } = fit({ ...state, keys: packKeys(state.keys), audit }, MAX_STATE_BYTES);
    expect(bytesOf(handed)).toBeLessThanOrEqual(MAX_STATE_BYTES);
    expect((handed.audit?.pending.length ?? 0) + (handed.audit?.lost?.count ?? 0)).toBe(24);
  });
});

describe('keyId', () => {
  it('leaves short keys and tells twenty thousand long ones apart', () => {
    expect(keyId('short')).toBe('short');
    const ids = Array.from({ length: 20_000 }, (_, i) => keyId(`a rather long key, number ${i}`));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => /^#[0-9a-z]{1,11}$/.test(id))).toBe(true);
  });

  it('is kept under its own name only where nobody could take it for a hash', () => {
    expect(keyId('#abc')).not.toBe('#abc');
  });

  it('answers without words where they were let go', () => {
    const packed = packKeys({ k: { atMs: AT, name: 'freeze', outcome: { accepted: true, detail: 'long' } } });
    expect(unpackKeys({ ...packed, details: {} })['k']?.outcome).toEqual({
      accepted: true,
      detail: 'freeze was carried out under this key; in what words is in the audit',
    });
  });
});
