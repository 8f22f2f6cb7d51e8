import { describe, expect, it } from '@jest/globals';
import { deploymentVersion, versioningOf } from './deploymentVersion.js';

describe('deploymentVersion', () => {
  it('is off unless it is named', () => {
    expect(deploymentVersion({})).toBeNull();
    expect(deploymentVersion({ PSMG_DEPLOYMENT_NAME: '', PSMG_BUILD_ID: '' })).toBeNull();
    expect(versioningOf(null)).toEqual({});
  });

  it('takes our variables before those of the worker controller', () => {
    const controller = { TEMPORAL_DEPLOYMENT_NAME: 'ns/psmg', TEMPORAL_WORKER_BUILD_ID: 'abc' };
    expect(deploymentVersion(controller)).toEqual({ deploymentName: 'ns/psmg', buildId: 'abc' });
    expect(deploymentVersion({ ...controller, PSMG_BUILD_ID: 'def' })?.buildId).toBe('def');
  });

  it('refuses one without the other, by name', () => {
    expect(() => deploymentVersion({ PSMG_BUILD_ID: '7' })).toThrow(
      /PSMG_BUILD_ID is set and PSMG_DEPLOYMENT_NAME is not/,
    );
    expect(() => deploymentVersion({ PSMG_DEPLOYMENT_NAME: 'psmg' })).toThrow(/PSMG_BUILD_ID is not/);
  });
});
