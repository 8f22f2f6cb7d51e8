import type { Payload } from '@temporalio/common';
import { createRandom } from '../../core/forecast/random.js';
import { MESSAGE_NAMES } from '../../workflows/regionLifecycle/messages.js';

/** One message as it goes over the wire, and what must come of it. */
export interface FuzzCase {
  name: string;
  payload: Payload;
  /**
   * `refused`: counted in state where it is a signal, refused to the caller where it is an update; `answered`: taken,
   * and answered that it came to nothing; `caller`: the server itself tells the sender.
   */
  becomes: 'refused' | 'answered' | 'caller';
  /** What the reason must name, each. */
  names: readonly string[];
}

const ADDRESS = 'shop.rateLimit.rps';
const TOO_LARGE = 2.2 * 1024 * 1024;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const json = (text: string, encoding = 'json/plain'): Payload => {
  return { metadata: { encoding: utf8(encoding) }, data: utf8(text) };
};

interface Draw {
  chance: () => number;
  pick<T>(list: readonly T[]): T;
  /** Unique in the set. */
  key: string;
}

type Kind = (draw: Draw) => FuzzCase;

const sound = (key: string): Record<string, unknown> => ({ key, who: 'eve', why: 'fuzz' });
const override = (key: string, fields: Record<string, unknown>): Record<string, unknown> => {
  return { ...sound(key), address: ADDRESS, value: 50, ...fields };
};

function refused(name: string, payload: Payload | Record<string, unknown>, ...names: string[]): FuzzCase {
  const isPayload = 'metadata' in payload || 'data' in payload;
  return { name, payload: isPayload ? payload : json(JSON.stringify(payload)), becomes: 'refused', names };
}

const KINDS: readonly Kind[] = [
  // No object at all.
  ({ pick }) => {
    const texts = ['null', '[]', '"freeze"', '17', 'true', '[{"key":"a"}]', '1e999', '-0'];
    return refused(pick(MESSAGE_NAMES), json(pick(texts)), 'JSON object');
  },
  // Fields of wrong types, several at once: each is named.
  ({ pick }) => {
    const wrong = (): unknown => pick<unknown>([null, 7, true, [], {}, '', '   ', { toString: 'x' }]);
    return refused(pick(MESSAGE_NAMES), { key: wrong(), who: wrong(), why: wrong() }, 'key', 'who', 'why');
  },
  // Bytes that nobody can decode.
  ({ pick, chance }) => {
    const encodings = ['json/plain', 'json/protobuf', 'binary/encrypted', 'x', '\u0000', '__proto__', 'binary/zlib'];
    const bytes = Uint8Array.from({ length: 1 + Math.floor(chance() * 200) }, () => 128 + Math.floor(chance() * 128));
    return refused(
      pick(MESSAGE_NAMES),
      { metadata: { encoding: utf8(pick(encodings)) }, data: bytes },
      'not decodable',
    );
  },
  ({ pick }) => refused(pick(MESSAGE_NAMES), { metadata: {}, data: utf8('{}') }, 'not decodable'),
  ({ pick }) => {
    const texts = ['{', '{"key":', '{"key":"a"}}', "{'key':1}", '{"key":"a",}', 'undefined', 'NaN', '', '\ufeff{}'];
    return refused(pick(MESSAGE_NAMES), json(pick(texts)), 'not decodable');
  },
  // Names that nobody knows.
  ({ pick, key }) => {
    const names = [
      'overide',
      'Override',
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'status',
      '\u202e',
      ' ',
    ];
    return refused(pick(names), sound(key), 'unknown');
  },
  // What would change a prototype.
  ({ pick, key }) => {
    const field = pick(['__proto__', 'constructor', 'prototype', 'hasOwnProperty']);
    const text = JSON.stringify(sound(key)).slice(0, -1);
    return refused('freeze', json(`${text},${JSON.stringify(field)}:{"accepted":true,"polluted":1}}`), field);
  },
  ({ pick, key }) => {
    const address = pick(['shop.__proto__', 'shop.constructor', '__proto__.rateLimit.rps', 'shop.weight.__proto__']);
    return refused('override', override(key, { address }), 'address');
  },
  // Half of a character.
  ({ pick, key }) => {
    const text = JSON.stringify(override(key, { address: 'shop.HALF', extraHALF: 1 }));
    return refused(
      'override',
      json(text.replaceAll('HALF', pick(['\\ud800', '\\udfff', '\\udc00\\ud800']))),
      'address',
      'no field',
    );
  },
  // Numbers beyond all bounds.
  ({ pick, key }) => {
    const text = JSON.stringify(override(key, { value: 'VALUE' }));
    const values = [
      '1e308',
      '1e999',
      '-1e999',
      '-1',
      '1e-320',
      '9007199254740993',
      '"50"',
      'null',
      '[50]',
      '{"valueOf":1}',
    ];
    return refused('override', json(text.replace('"VALUE"', pick(values))), 'value');
  },
  // So deep that whoever walks it falls over.
  ({ pick, key }) => {
    const depth = pick([50, 1000, 10_000]);
    const [open, close] = pick([
      ['[', ']'],
      ['{"a":', '}'],
    ] as const);
    const nest = `${open.repeat(depth)}1${close.repeat(depth)}`;
    return refused('override', json(JSON.stringify(override(key, { value: 'NEST' })).replace('"NEST"', nest)), 'value');
  },
  ({ pick }) => {
    const depth = pick([1000, 20_000]);
    return refused(pick(MESSAGE_NAMES), json(`{"key":${'['.repeat(depth)}${']'.repeat(depth)}}`), 'key', 'who', 'why');
  },
  // Times without a zone, or without sense.
  ({ pick, key }) => {
    const times = [
      '2030-01-01T00:00:00',
      '2030-01-01',
      'tomorrow',
      '2030-13-41T00:00:00Z',
      '2030-01-01T00:00:00 Europe/Oslo',
      7,
    ];
    return refused('override', override(key, { until: pick(times) }), 'until');
  },
  // Long words, from just too long to far too long.
  ({ pick, key }) => {
    const length = pick([1001, 10_000]);
    return refused('freeze', { ...sound(key), why: 'y'.repeat(length), key: 'k'.repeat(129) }, 'why', 'key');
  },
  // Fields that a message does not have: a misspelt one would be lost.
  ({ key }) => refused('override', override(key, { untill: '2030-01-01T00:00:00Z' }), 'untill'),
  ({ pick, key }) => {
    const fields = { field: pick(['phase', 'overrides', 7, null]), value: pick([0, -1, 1.5, 'x', null]) };
    return refused('repair', { ...sound(key), ...fields }, 'field', 'value');
  },
  // A key that another message has had.
  () => refused('resume', sound('first'), 'first'),
  ({ pick }) => refused(pick(['override', 'rollback', 'set-autonomy']), sound('first')),
  // Sound, and too late or for nothing.
  ({ key }) => {
    const payload = json(JSON.stringify(override(key, { until: '2020-01-01T00:00:00Z' })));
    return { name: 'override', payload, becomes: 'answered', names: ['has passed'] };
  },
  ({ pick, key }) => {
    const payload = json(JSON.stringify({ ...sound(key), planHash: 'f'.repeat(pick([12, 64])) }));
    return { name: pick(['approve', 'reject']), payload, becomes: 'answered', names: [] };
  },
  ({ pick, key }) => {
    const payload = json(JSON.stringify(sound(key)));
    return { name: pick(['retry', 'skip', 'abort']), payload, becomes: 'answered', names: ['blocked'] };
  },
  ({ key }) => {
    const payload = json(JSON.stringify({ ...sound(key), to: 'no-such' }));
    return { name: 'rollback', payload, becomes: 'answered', names: ['no-such'] };
  },
];

/** Every kind about as often; the server itself refuses a few, which are slow. */
export function fuzzCases(count: number, seed: number): FuzzCase[] {
  const chance = createRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(chance() * list.length)] as T;
  return Array.from({ length: count }, (_, i) => {
    const key = `fuzz-${seed}-${i}`;
    if (i % 500 === 499) {
      const payload = json(JSON.stringify({ ...sound(key), why: 'y'.repeat(TOO_LARGE) }));
      return { name: 'freeze', payload, becomes: 'caller', names: [] };
    }
    const kind = KINDS[i % KINDS.length];
    if (kind === undefined) throw new Error('there is no kind');
    return kind({ chance, pick, key });
  });
}
