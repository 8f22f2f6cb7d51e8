import { describe, expect, it, jest } from '@jest/globals';
import { bundleWorkflows } from '../../workers/bundle.js';

jest.setTimeout(60_000);

/** Well above what the SDK and the workflows take (1.6 MB); a library that slips in is far more. */
const BUDGET_BYTES = 2_100_000;

describe('the workflow bundle', () => {
  it('holds no library and no decision of core: an edit there cannot break a replay', async () => {
    const { code } = await bundleWorkflows();
    expect(code.length).toBeLessThan(BUDGET_BYTES);
    for (const foreign of ['./core/', './activities/', 'node_modules/zod', 'node_modules/yaml']) {
      expect(code).not.toContain(foreign);
    }
  });
});
