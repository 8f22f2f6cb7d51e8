import { fileURLToPath } from 'node:url';
import { describe, expect, it, jest } from '@jest/globals';
import { bundleWorkflows } from '../../workers/bundle.js';
import { keepStdoutForResults, readHistories, replayHistories } from '../../workers/replay.js';

jest.setTimeout(90_000);

const HISTORIES = fileURLToPath(new URL('../replay/histories', import.meta.url));
/** Above what it takes with the interceptor and OpenTelemetry's tracer, without its source map. */
const BUDGET_BYTES = 2_600_000;

describe('the workflow bundle with spans', () => {
  it('replays every history that was made without, and is no larger than the tracer makes it', async () => {
    keepStdoutForResults();
    const bundle = await bundleWorkflows({ spans: true });
    expect(bundle.code).toContain('OpenTelemetryInboundInterceptor');
    // Without the source map, which holds the sources once more.
    const program = bundle.code.slice(0, bundle.code.lastIndexOf('//# sourceMappingURL='));
    expect(program.length).toBeGreaterThan(100_000);
    expect(program.length).toBeLessThan(BUDGET_BYTES);
    const results = await replayHistories(bundle, await readHistories([HISTORIES]));
    expect(results.length).toBeGreaterThan(10);
    expect(results.filter(({ error }) => error !== null)).toEqual([]);
  });
});
