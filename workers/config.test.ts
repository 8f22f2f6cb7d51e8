import { describe, expect, it } from '@jest/globals';
import { workerConfig } from './config.js';

describe('workerConfig', () => {
  it('has a default for everything, below the working directory', () => {
    expect(workerConfig({}, '/srv/psmg')).toEqual({
      trainNetworks: true,
      variable: expect.any(Function),
      taskQueue: 'psmg',
      stateDirectory: '/srv/psmg/.psmg',
      dataDirectory: '/srv/psmg',
      healthPort: 0,
      stickyTimeoutMs: 5000,
    });
  });

  it('takes what the environment says, absolute paths as they are', () => {
    const config = workerConfig({ PSMG_STATE: '/var/lib/psmg', PSMG_DATA: 'data', PSMG_HEALTH_PORT: '8080' }, '/srv');
    expect(config).toMatchObject({ stateDirectory: '/var/lib/psmg', dataDirectory: '/srv/data', healthPort: 8080 });
  });

  it('refuses a number that is none, and names the variable', () => {
    expect(() => workerConfig({ PSMG_HEALTH_PORT: 'http' }, '/srv')).toThrow(/PSMG_HEALTH_PORT must be a whole number/);
  });
});
