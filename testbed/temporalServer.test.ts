import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Connection } from '@temporalio/client';
import { startTemporal } from './temporalServer.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'psmg-temporal-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('startTemporal', () => {
  it('gives a healthy server with our search attributes, and ends it', async () => {
    const logFile = path.join(folder, 'logs', 'temporal.log');
    const server = await startTemporal({
      ui: true,
      logFile,
      address: '',
      dbFile: path.join(folder, 'db', 'temporal.db'),
    });
    try {
      const connection = await Connection.connect({ address: server.address });
      const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'default' });
      expect(Object.keys(customAttributes ?? {})).toEqual(
        expect.arrayContaining(['PsmgRegion', 'PsmgPhase', 'PsmgBlockedReason']),
      );
      await connection.close();
      expect((await fetch(server.uiUrl ?? '')).status).toBe(200);
    } finally {
      await server.stop();
    }
    await expect(fetch(server.uiUrl ?? '')).rejects.toThrow();
  }, 40_000);

  it('uses a server that runs already as it is', async () => {
    const server = await startTemporal({ ui: true, logFile: path.join(folder, 't.log'), address: '10.0.0.1:7233' });
    expect(server).toEqual({ address: '10.0.0.1:7233', stop: expect.any(Function) });
    await server.stop();
  });
});
