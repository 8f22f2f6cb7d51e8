import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseFleet } from './parseFleet.js';

const problemsOf = (text: string): string[] => {
  const parsed = parseFleet(text, 'fleet.yaml');
  return parsed.ok ? [] : parsed.problems.map(({ field, line, message }) => `${line ?? 0} ${field}: ${message}`);
};

describe('parseFleet', () => {
  it('reads the example', () => {
    const file = new URL('../../examples/fleet.yaml', import.meta.url);
    expect(parseFleet(readFileSync(file, 'utf8'))).toMatchObject({
      ok: true,
      value: { name: 'fleet', maxConcurrentChanges: 2, rollout: { stages: [1, '40%', '100%'] } },
    });
  });

  it('fills in what is left out', () => {
    expect(parseFleet('apiVersion: psmg/v1\nmaxConcurrentChanges: 1\n')).toMatchObject({
      ok: true,
      value: { name: 'fleet', permitSeconds: 3600, rollout: { stages: [1, '25%', '100%'], judgeSeconds: 600 } },
    });
  });

  it('names every problem at once, with its line', () => {
    const text = `apiVersion: psmg/v2
maxConcurrentChanges: 0
regions:
  - { name: eu-west, group: a }
  - { name: eu-west }
  - { name: a }
failover:
  - [eu-west, us-east]
  - [a, a]
rollout: { stages: [3, 2, 'half'], judgeSecs: 1 }
`;
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^1 apiVersion: /),
      expect.stringMatching(/^2 maxConcurrentChanges: /),
      expect.stringMatching(/^4 regions\[0\]\.group: "a" is the name of a region too/),
      expect.stringMatching(/^5 regions\[1\]\.name: repeats the region "eu-west"/),
      expect.stringMatching(/^8 failover\[0\]\[1\]: "us-east" is no region of the fleet/),
      expect.stringMatching(/^9 failover\[1\]: names one region twice/),
      expect.stringMatching(/^10 rollout\.stages\[1\]: is no more than a stage before it/),
      expect.stringMatching(/^10 rollout\.stages\[2\]: is no stage of a rollout/),
      expect.stringMatching(/^10 rollout\.judgeSecs: /),
    ]);
  });

  it('never throws', () => {
    for (const text of ['', '[]', '{', 'a: &a [*a]', 'regions: 1\nfailover: {}\nrollout: []', '\u0000']) {
      expect(parseFleet(text).ok).toBe(false);
    }
  });
});
