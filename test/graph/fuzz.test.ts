import { describe, expect, it } from '@jest/globals';

import { runGraphFuzzCase } from '../../bench/graph/fuzzCases.js';
import { validTexts } from '../../bench/graph/fuzzTexts.js';
import { detectGraphSource } from '../../core/graph/sources/detectGraphSource.js';
import { parseGraphSource } from '../../core/graph/sources/parseGraphSource.js';
import { GRAPH_SOURCE_KINDS } from '../../core/spec/region.js';

describe('malformed sources of the graph', () => {
  it('end in a graph that holds or in listed problems', () => {
    const kinds = new Map<string, number>();
    for (let index = 0; index < 300; index++) {
      const { entry, outcome } = runGraphFuzzCase(20, index);
      if (outcome.kind === 'failed') throw new Error(`input ${index}, ${entry}: ${outcome.why}`);
      kinds.set(outcome.kind, (kinds.get(outcome.kind) ?? 0) + 1);
    }
    // Neither all of them harmless nor all beyond reading: else little would be tried.
    expect(kinds.get('answered')).toBeGreaterThan(30);
    expect(kinds.get('refused')).toBeGreaterThan(30);
  });

  it('start from texts that are read, and known for what they are', () => {
    for (const [kind, text] of Object.entries(validTexts(4))) {
      expect([kind, detectGraphSource(text, 'any')]).toEqual([kind, kind]);
    }
    for (const kind of GRAPH_SOURCE_KINDS) {
      const parsed = parseGraphSource(kind, validTexts(4)[kind], 'any');
      expect([kind, parsed.ok && parsed.value.edges.length > 0]).toEqual([kind, true]);
    }
  });
});
