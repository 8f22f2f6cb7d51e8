import { describe, expect, it } from '@jest/globals';
import { setState } from './port.js';
import { createPrometheusMeter } from './prometheus.js';
import { PHASES } from './states.js';

const seriesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('createPrometheusMeter', () => {
  it('shows nothing that nobody measured, and takes away what is not known any more', async () => {
    const meter = createPrometheusMeter({ now: () => 0 });
    expect(seriesOf(await meter.text())).toEqual([]);
    meter.set('psmg_service_error_ratio', { region: 'north', service: 'shop' }, 0.25);
    meter.set('psmg_worker_ready', {}, 1);
    expect(seriesOf(await meter.text()).sort()).toEqual([
      'psmg_service_error_ratio{region="north",service="shop"} 0.25',
      'psmg_worker_ready 1',
    ]);
    meter.set('psmg_service_error_ratio', { region: 'north', service: 'shop' }, null);
    meter.set('psmg_worker_ready', {}, Number.NaN);
    expect(seriesOf(await meter.text())).toEqual([]);
  });

  it('shows exactly one state of a set as 1', async () => {
    const meter = createPrometheusMeter({ now: () => 0 });
    for (const phase of ['planning', 'operating']) {
      setState(meter, 'psmg_region_phase', PHASES, phase, (value) => ({ region: 'north', phase: value }));
    }
    const series = seriesOf(await meter.text());
    expect(series).toHaveLength(PHASES.length);
    expect(series.filter((line) => line.endsWith(' 1'))).toEqual([
      'psmg_region_phase{region="north",phase="operating"} 1',
    ]);
  });

  it('forgets a region with everything of it, and nothing of another', async () => {
    const meter = createPrometheusMeter({ now: () => 5000 });
    for (const region of ['north', 'south']) {
      meter.set('psmg_region_frozen', { region }, 1);
      meter.since('psmg_region_observation_age_seconds', { region }, 1000);
      meter.add('psmg_adjustment_decisions_total', { region, decision: 'revert' });
    }
    meter.forgetRegion('north');
    expect([...meter.regions()]).toEqual(['south']);
    const series = seriesOf(await meter.text());
    expect(series).toHaveLength(3);
    expect(series.every((line) => line.includes('region="south"'))).toBe(true);
  });

  it('lets observed values vanish when they get old, while their age goes on', async () => {
    let nowMs = 0;
    const meter = createPrometheusMeter({ now: () => nowMs, fleetingMs: 60_000 });
    meter.set('psmg_region_completeness_ratio', { region: 'north' }, 1);
    meter.since('psmg_region_observation_age_seconds', { region: 'north' }, 0);
    nowMs = 60_000;
    expect(seriesOf(await meter.text())).toHaveLength(2);
    nowMs = 60_001;
    expect(seriesOf(await meter.text())).toEqual(['psmg_region_observation_age_seconds{region="north"} 60.001']);
  });
});
