import type { CounterName, GaugeName, HistogramName, LabelsOf } from './catalogue.js';

/** Takes figures as they come; how and when they are read is the implementation's. No method throws. */
export interface Meter {
  /** `null`: the value is not known, and nothing is shown rather than a zero. */
  set<N extends GaugeName>(name: N, labels: LabelsOf<N>, value: number | null): void;
  /** A gauge of the seconds since a moment (milliseconds since the epoch), as of when it is read. */
  since<N extends GaugeName>(name: N, labels: LabelsOf<N>, atMs: number): void;
  /** By 0: the series is there before its first event, so that a rate sees that one too. */
  add<N extends CounterName>(name: N, labels: LabelsOf<N>, by?: number): void;
  /** A counter that somebody else counts. */
  total<N extends CounterName>(name: N, labels: LabelsOf<N>, value: number): void;
  observe<N extends HistogramName>(name: N, labels: LabelsOf<N>, value: number): void;
  /** Regions that any series names. */
  regions(): ReadonlySet<string>;
  /** Removes every series of a region. */
  forgetRegion(region: string): void;
}

/** Of all states exactly one is 1; `null`: none. */
export function setState<N extends GaugeName>(
  meter: Meter,
  name: N,
  states: readonly string[],
  current: string | null,
  labelsOf: (state: string) => LabelsOf<N>,
): void {
  for (const state of states) meter.set(name, labelsOf(state), state === current ? 1 : 0);
}
