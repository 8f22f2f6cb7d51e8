import type { Client } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../workflows/shared/searchAttributes.js';

/** `KEYWORD` in Temporal's IndexedValueType. */
const KEYWORD = 2;

/**
 * Registers what is missing. Without them every workflow task of a region would fail and be retried for ever, so a
 * worker that may not register them must not start: the error names the command for somebody who may.
 */
export async function ensureSearchAttributes(client: Client): Promise<void> {
  const namespace = client.options.namespace;
  const operator = client.connection.operatorService;
  const { customAttributes } = await operator.listSearchAttributes({ namespace });
  const missing = Object.values(SEARCH_ATTRIBUTES)
    .map((key) => key.name)
    .filter((name) => !Object.hasOwn(customAttributes ?? {}, name));
  if (missing.length === 0) return;
  try {
    const searchAttributes = Object.fromEntries(missing.map((name) => [name, KEYWORD]));
    await operator.addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    const flags = missing.map((name) => `--name ${name} --type Keyword`).join(' ');
    const command = `temporal operator search-attribute create --namespace ${namespace} ${flags}`;
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `search attributes ${missing.join(', ')} are missing and cannot be added (${why}). Run: ${command}`,
      {
        cause: error,
      },
    );
  }
}
