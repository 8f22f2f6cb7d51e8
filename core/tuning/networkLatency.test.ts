import { describe, expect, it } from '@jest/globals';
import { createRandom } from '../forecast/random.js';
import { median } from '../forecast/series.js';
import { medianInterval, networkLatency, probeProblems } from './networkLatency.js';
import type { ProbeTry } from './networkLatency.js';

function answers(times: readonly number[], host = 'edge-1'): ProbeTry[] {
  return times.map((answerMs) => ({ host, connectMs: 1, answerMs, retransmitted: false }));
}

const lost: ProbeTry = { host: 'edge-1', failure: 'lost', message: 'timed out' };
const refused: ProbeTry = { host: 'edge-1', failure: 'refused', message: 'Connection refused' };

describe('networkLatency', () => {
  it('has the median with its interval, the 90 % quantile and the jitter of what was answered', () => {
    const times = [20, 22, 21, 25, 20, 24, 23, 22, 30, 21];
    expect(networkLatency('far', answers(times), 5)).toEqual({
      neighbour: 'far',
      at: 5,
      tries: 10,
      answers: 10,
      lost: 0,
      failed: 0,
      rttP50Ms: 22,
      rttP50LowMs: 20,
      rttP50HighMs: 25,
      rttP90Ms: 25,
      jitterMs: (2 + 1 + 4 + 5 + 4 + 1 + 1 + 8 + 9) / 9,
      handshakeP50Ms: 1,
      lossShare: 0,
      lossShareLow: 0,
      lossShareHigh: expect.closeTo(0.2775, 3),
    });
  });

  it('never counts what was lost, or sent again, as latency', () => {
    const again: ProbeTry = { host: 'edge-1', connectMs: 1021, answerMs: 220, retransmitted: true };
    const found = networkLatency('far', [...answers([20, 21, 22, 23, 24, 25]), lost, again, lost, again], 0);
    expect(found).toMatchObject({ answers: 6, lost: 4, failed: 0, rttP50Ms: 22.5, handshakeP50Ms: 1, lossShare: 0.4 });
    expect(found.rttP50HighMs).toBe(25);
    // Wilson's interval of 4 in 10.
    expect(found.lossShareLow).toBeCloseTo(0.1682, 3);
    expect(found.lossShareHigh).toBeCloseTo(0.6873, 3);
  });

  it('does not know a latency with too few answers, and no loss where nobody answered at all', () => {
    const few = networkLatency('far', [...answers([20, 21, 22, 23, 24]), lost], 0);
    expect(few).toMatchObject({ rttP50Ms: null, rttP90Ms: null, jitterMs: null, handshakeP50Ms: null, lost: 1 });
    expect(probeProblems(few, [])).toEqual([
      'far: network latency is not known: 5 answers, 1 lost, of at least 6 answers needed',
    ]);
    const none = networkLatency('far', [refused, refused], 0);
    expect(none).toMatchObject({ tries: 2, failed: 2, lost: 0, lossShare: null, lossShareHigh: null, rttP50Ms: null });
    expect(probeProblems(none, [refused, refused])[0]).toBe('far: 2 of 2 probes failed: refused: Connection refused');
    expect(networkLatency('far', [], 0)).toMatchObject({ tries: 0, lossShare: null, rttP50Ms: null });
  });

  it('has the 90 % quantile only of ten or more', () => {
    expect(networkLatency('far', answers([1, 2, 3, 4, 5, 6, 7, 8, 9]), 0).rttP90Ms).toBeNull();
    expect(networkLatency('far', answers([1, 2, 3, 4, 5, 6, 7, 8, 9, 99]), 0).rttP90Ms).toBe(9);
  });

  it('takes from an answer what the endpoint behind the gateway took, unless that cannot be', () => {
    const served = (answerMs: number, serviceMs: number): ProbeTry => ({
      ...{ host: 'edge-1', connectMs: 1, retransmitted: null, status: 200 },
      ...{ answerMs, serviceMs },
    });
    const found = networkLatency(
      'far',
      Array.from({ length: 6 }, () => served(30, 9)),
      0,
    );
    expect(found.rttP50Ms).toBe(21);
    expect(
      networkLatency(
        'far',
        Array.from({ length: 6 }, () => served(30, 31)),
        0,
      ).rttP50Ms,
    ).toBe(30);
  });

  it('takes the handshake where nothing was asked, and jitter from host to the same host', () => {
    const tries = [4, 40, 5, 41, 4, 40, 5, 41].map((connectMs, i): ProbeTry => ({
      host: i % 2 === 0 ? 'edge-1' : 'edge-2',
      connectMs,
      retransmitted: false,
    }));
    expect(networkLatency('far', tries, 0)).toMatchObject({ rttP50Ms: (5 + 40) / 2, jitterMs: 1 });
  });

  it('tells a gateway that answers its health with an error, whose answers count all the same', () => {
    const tries = answers([1, 2, 3, 4, 5, 6]).map((one) => ({ ...one, status: 503 }));
    const found = networkLatency('far', tries, 0);
    expect(found.rttP50Ms).toBe(3.5);
    expect(probeProblems(found, tries)).toEqual(['far: its gateway answers 6 of 6 probes with 503']);
  });
});

describe('medianInterval', () => {
  it('has the ranks of the binomial law', () => {
    const ranks = (count: number): readonly number[] | null =>
      medianInterval(Array.from({ length: count }, (_, i) => i + 1));
    expect([5, 6, 8, 9, 10, 20, 50].map(ranks)).toEqual([null, [1, 6], [1, 8], [2, 8], [2, 9], [6, 15], [18, 33]]);
  });

  it('encloses the true median in 95 of 100 samples, of a skewed law too', () => {
    const random = createRandom(5);
    let inside = 0;
    for (let run = 0; run < 2000; run += 1) {
      const skewed = Array.from({ length: 20 }, () => 1 / (1.001 - random())).sort((a, b) => a - b);
      const [low, high] = medianInterval(skewed) ?? [Infinity, -Infinity];
      if (low <= 1 / 0.501 && 1 / 0.501 <= high) inside += 1;
      expect(median(skewed)).toBeGreaterThanOrEqual(low);
      expect(median(skewed)).toBeLessThanOrEqual(high);
    }
    expect(inside).toBeGreaterThan(0.945 * 2000);
    expect(inside).toBeLessThan(0.975 * 2000);
  });
});
