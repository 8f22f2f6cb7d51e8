import type { ModelName } from '../core/forecast/members/members.js';
import { MODEL_NAMES } from '../core/forecast/members/members.js';
import { parseStep } from '../core/forecast/steps.js';
import { parseInstant } from '../core/spec/instant.js';
import type { Problem } from '../core/spec/problem.js';
import type { TimeZone } from '../core/spec/timeZone.js';
import { timeZoneNamed, UTC } from '../core/spec/timeZone.js';

/** As commander hands them over: text, unchecked. */
export interface RawForecastOptions {
  history?: string[];
  horizon?: string;
  step: string;
  season?: string;
  events?: string[];
  regressors?: string[];
  models: string;
  at?: string;
  region?: string;
  timeZone?: string;
  graph?: string[];
  borrow?: string[];
  memory?: string;
  train?: boolean;
  format: string;
}

export interface ForecastOptions {
  history: readonly string[];
  horizonSteps: number;
  stepSeconds: number;
  seasons: readonly number[];
  events: readonly string[];
  regressors: readonly string[];
  timeZone: TimeZone;
  models: readonly ModelName[] | undefined;
  atMs: number | undefined;
  region: string;
  graph: readonly string[];
  borrow: readonly string[];
  memory: string | undefined;
  train: boolean;
}

const DAY_SECONDS = 86_400;

/** Checks all options, so that every wrong one is told at once and not only the first. */
export function readForecastOptions(raw: RawForecastOptions): { options: ForecastOptions; problems: Problem[] } {
  const problems: Problem[] = [];
  const refuse = (field: string, message: string, expected: string): void => {
    problems.push({ code: 'option', field, message, expected });
  };
  if ((raw.history ?? []).length === 0) refuse('--history', 'is missing', 'one or more CSV files');
  const timeZone = timeZoneNamed(raw.timeZone ?? 'UTC');
  if (timeZone === null) refuse('--time-zone', `is "${raw.timeZone ?? ''}"`, 'a name such as Europe/Berlin');
  const stepSeconds = parseStep(raw.step);
  if (stepSeconds === null) refuse('--step', `is "${raw.step}"`, 'a length of time such as 1h, 15m, 30s or 1d');
  const horizonSteps = wholeNumber(raw.horizon, 1, 10_000);
  if (horizonSteps === null)
    refuse('--horizon', raw.horizon === undefined ? 'is missing' : `is "${raw.horizon}"`, 'a number of steps, 1–10000');
  const seasons = seasonsOf(raw.season, stepSeconds ?? 3600);
  if (seasons === null) refuse('--season', `is "${raw.season ?? ''}"`, 'lengths in steps by comma, such as 24,168');
  const models = modelsOf(raw.models);
  if (models === null) refuse('--models', `is "${raw.models}"`, `auto, or some of ${MODEL_NAMES.join(',')}`);
  const atMs = raw.at === undefined ? undefined : (parseInstant(raw.at) ?? Number.NaN);
  if (Number.isNaN(atMs)) refuse('--at', `is "${raw.at ?? ''}"`, 'ISO 8601 with a zone, e.g. 2026-03-01T08:00:00Z');
  if (!['json', 'table'].includes(raw.format)) refuse('--format', `is "${raw.format}"`, 'json or table');
  const options = {
    history: raw.history ?? [],
    horizonSteps: horizonSteps ?? 1,
    stepSeconds: stepSeconds ?? 3600,
    seasons: seasons ?? [],
    events: raw.events ?? [],
    regressors: raw.regressors ?? [],
    timeZone: timeZone ?? UTC,
    models: models ?? undefined,
    atMs,
    region: raw.region ?? '',
    graph: raw.graph ?? [],
    borrow: raw.borrow ?? [],
    memory: raw.memory,
    train: raw.train === true || (models ?? []).includes('lstm'),
  };
  return { options, problems };
}

function wholeNumber(text: string | undefined, least: number, most: number): number | null {
  const value = /^\d{1,9}$/.test(text?.trim() ?? '') ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : null;
}

/** Without a word of the caller: a day and a week, as far as the step goes into them. */
function seasonsOf(text: string | undefined, stepSeconds: number): readonly number[] | null {
  if (text === undefined) {
    const natural = [DAY_SECONDS, 7 * DAY_SECONDS].map((seconds) => seconds / stepSeconds);
    const fitting = natural.filter((steps) => Number.isInteger(steps) && steps >= 2);
    return fitting.length === 0 ? null : fitting;
  }
  const seasons = text.split(',').map((part) => wholeNumber(part, 2, 100_000));
  return seasons.every((season) => season !== null) ? seasons : null;
}

function modelsOf(text: string): readonly ModelName[] | undefined | null {
  if (text === 'auto') return undefined;
  const names = text.split(',').map((name) => MODEL_NAMES.find((known) => known === name.trim()));
  return names.every((name) => name !== undefined) ? names : null;
}
