import { describe, expect, it, jest } from '@jest/globals';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { locatePart } from '../../scripts/parts/locate.js';
import { ensureSearchAttributes } from '../../workers/searchAttributes.js';
import { SEARCH_ATTRIBUTES } from '../../workflows/shared/searchAttributes.js';

jest.setTimeout(240_000);

describe('ensureSearchAttributes', () => {
  it('registers what a fresh cluster lacks, and nothing twice', async () => {
    const env = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'existing-path', path: locatePart('temporal') } },
    });
    try {
      await ensureSearchAttributes(env.client);
      await ensureSearchAttributes(env.client);
      const { namespace } = env.client.options;
      const { customAttributes } = await env.client.connection.operatorService.listSearchAttributes({ namespace });
      const names = Object.values(SEARCH_ATTRIBUTES).map((key) => key.name);
      expect(Object.keys(customAttributes ?? {})).toEqual(expect.arrayContaining(names));
    } finally {
      await env.teardown();
    }
  });
});
