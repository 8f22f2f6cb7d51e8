import { describe, expect, it, jest } from '@jest/globals';
import { bundleWorkflows } from '../../workers/bundle.js';

jest.setTimeout(240_000);

/** Above what the SDK (0.7 MB) and the workflows take without their source map; a library that slips in is far more. */
const BUDGET_BYTES = 1_300_000;

describe('the workflow bundle', () => {
  it('holds no library and no decision of core: an edit there cannot break a replay', async () => {
    const { code } = await bundleWorkflows();
    const program = code.slice(0, code.lastIndexOf('//# sourceMappingURL='));
    expect(program.length).toBeGreaterThan(100_000);
    expect(program.length).toBeLessThan(BUDGET_BYTES);
    for (const foreign of ['./core/', './activities/', 'node_modules/zod', 'node_modules/yaml']) {
      expect(code).not.toContain(foreign);
    }
  });
});
