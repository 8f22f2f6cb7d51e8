import path from 'node:path';

import { sliceSeries } from '../../../core/forecast/series.js';
import type { Question, QuestionSet, SetOptions } from '../data.js';
import { pick } from '../random.js';
import { readCells } from './csv.js';

const HOUR_MS = 3_600_000;
const HORIZON = 48;

/**
 * The last 48 hours of M4's hourly series. The file has no dates: all are taken to start on a Monday, and to be the
 * services of one region.
 */
export async function m4({ folder, sample, seed }: SetOptions): Promise<QuestionSet> {
  const rows = await readCells(path.join(folder, 'm4', 'Hourly-train.csv'));
  const all = rows.slice(1).map(([id = '', ...cells]): Question => {
    const values = cells.filter((cell) => cell !== '' && cell !== 'NA').map(Number);
    const series = { startMs: Date.UTC(2024, 0, 1), stepMs: HOUR_MS, values };
    const history = sliceSeries(series, values.length - HORIZON);
    return { id, seriesId: id, history, events: [], known: [], actual: values.slice(-HORIZON) };
  });
  const questions = pick(all, sample, seed);
  const which = questions.length === all.length ? 'all' : `${questions.length} of`;
  const drawn = questions.length === all.length ? '' : `, drawn with seed ${seed}`;
  const facts = `The last ${HORIZON} h of ${which} ${all.length} series${drawn}, taken as the services of one region.`;
  return { name: 'm4', title: 'M4 hourly', facts, seasons: [24, 168], maseSeason: 24, isRegion: true, questions };
}
