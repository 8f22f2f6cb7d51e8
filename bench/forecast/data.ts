import type { TimedEvent } from '../../core/forecast/events/events.js';
import type { KnownSeries } from '../../core/forecast/members/members.js';
import type { Series } from '../../core/forecast/series.js';
import { bike } from './sets/bike.js';
import { pages, transport } from './sets/daily.js';
import { m4 } from './sets/m4.js';
import { cloud, web } from './sets/traces.js';

/** One question: a history, what is known of its future, and what came. */
export interface Question {
  id: string;
  /** The series that it was cut from; questions of one series have histories that begin alike. */
  seriesId: string;
  history: Series;
  events: readonly TimedEvent[];
  /** Over history and horizon. */
  known: readonly KnownSeries[];
  actual: readonly number[];
}

export interface QuestionSet {
  name: SetName;
  title: string;
  /** How the set was cut, in a sentence. */
  facts: string;
  seasons: readonly number[];
  /** Lag of MASE's scale, steps. */
  maseSeason: number;
  /** Whether all questions are asked at one moment, as of the services of one region; else each stands alone. */
  isRegion: boolean;
  /** By series, then by time. */
  questions: readonly Question[];
}

export const SET_NAMES = ['m4', 'bike', 'web', 'cloud', 'pages', 'transport'] as const;
export type SetName = (typeof SET_NAMES)[number];

export interface SetOptions {
  folder: string;
  /** M4: series; other sets: windows of each series. */
  sample: number;
  seed: number;
}

export const SETS: Readonly<Record<SetName, (options: SetOptions) => Promise<QuestionSet>>> = {
  m4,
  bike,
  web,
  cloud,
  pages,
  transport,
};

export const FULL_SAMPLE: Readonly<Record<SetName, number>> = {
  m4: 414,
  bike: 40,
  web: 20,
  cloud: 8,
  pages: 20,
  transport: 12,
};

export const QUICK_SAMPLE: Readonly<Record<SetName, number>> = {
  m4: 12,
  bike: 4,
  web: 2,
  cloud: 1,
  pages: 2,
  transport: 1,
};
