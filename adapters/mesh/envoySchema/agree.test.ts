import { describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';

import type { MutationKind } from '../../../bench/descriptors/mutations.js';
import { mutations } from '../../../bench/descriptors/mutations.js';
import { richConfig } from '../../../bench/descriptors/richConfig.js';
import { locatePart } from '../../../scripts/parts/locate.js';
import { validateWithEnvoy } from '../validateEnvoy.js';
import { checkEnvoyYaml } from './checkEnvoyConfig.js';

/** What the descriptors alone decide; of the others Envoy may refuse more, for what one part asks of another. */
const DECIDED: readonly MutationKind[] = [
  'unknown field',
  'lowerCamelCase',
  'number of another type',
  'boolean',
  'type of an extension',
  'second alternative',
];

describe('the descriptors and the real Envoy', () => {
  const cases = mutations(richConfig(), 1, 7).map(
    ({ kind, told, config }) => [`${kind}: ${told}`, kind, config] as const,
  );

  it.each(cases)('agree about %s', async (_, kind, config) => {
    const text = stringify(config, { lineWidth: 0 });
    const ours = checkEnvoyYaml(text);
    const refused = (await validateWithEnvoy(locatePart('envoy'), text)).length > 0;
    if (DECIDED.includes(kind)) expect(ours.length > 0).toBe(refused);
    if (!refused) expect(ours).toEqual([]);
  });

  it('are asked about enough', () => {
    expect(cases.length).toBeGreaterThanOrEqual(15);
  });
});
