import path from 'node:path';

import type { TimedEvent } from '../../../core/forecast/events/events.js';
import type { Question, QuestionSet, SetOptions } from '../data.js';
import { meansByStep, readCells, timeOf } from './csv.js';
import { lastWindows } from './windows.js';

const DAY_MS = 86_400_000;
const DAILY = { seasons: [7], maseSeason: 7, isRegion: false } as const;

/** Games of Peyton Manning's teams; that of the day and of the day after, when most people look, are two kinds. */
const PLAYOFFS =
  '2008-01-13 2009-01-03 2010-01-16 2010-01-24 2010-02-07 2011-01-08 2013-01-12 2014-01-12 2014-01-19 2014-02-02 2015-01-11 2016-01-17';
const SUPER_BOWLS = '2010-02-07 2014-02-02';

/** Public holidays in the city of Madrid. */
const MADRID_HOLIDAYS = [
  '2023-01-01 2023-01-06 2023-03-20 2023-04-06 2023-04-07 2023-05-01 2023-05-02 2023-05-15 2023-08-15 2023-10-12',
  '2023-11-01 2023-11-09 2023-12-06 2023-12-08 2023-12-25 2024-01-01 2024-01-06 2024-03-28 2024-03-29 2024-05-01',
  '2024-05-02 2024-05-15 2024-07-25 2024-08-15 2024-10-12 2024-11-01 2024-11-09 2024-12-06 2024-12-25',
].join(' ');

/** Views of three sites by the day, a week ahead. */
export async function pages({ folder, sample }: SetOptions): Promise<QuestionSet> {
  const plan = { windows: sample, horizon: 7, least: 120 };
  const wiki = async (page: string): Promise<{ at: number; value: number }[]> => {
    const rows = await readCells(path.join(folder, 'prophet', `example_wp_log_${page}.csv`));
    return rows.slice(1).map(([day = '', log = '']) => ({ at: timeOf(day), value: Math.exp(Number(log)) }));
  };
  const games = [
    ...dayEvents('playoff', PLAYOFFS, 0),
    ...dayEvents('playoff-after', PLAYOFFS, 1),
    ...dayEvents('final', SUPER_BOWLS, 0),
    ...dayEvents('final-after', SUPER_BOWLS, 1),
  ];
  const visits = await readCells(path.join(folder, 'skforecast', 'visitas_por_dia_web_cienciadedatos.csv'));
  const visited = visits.slice(1).map(([day = '', count = '']) => ({ at: timeOf(day), value: Number(count) }));
  const questions = [
    ...lastWindows(
      { id: 'wiki-manning', series: meansByStep(await wiki('peyton_manning'), DAY_MS), events: games },
      plan,
    ),
    ...lastWindows({ id: 'wiki-r', series: meansByStep(await wiki('R'), DAY_MS) }, plan),
    ...lastWindows({ id: 'visits', series: meansByStep(visited, DAY_MS) }, plan),
  ];
  const facts = `Two Wikipedia pages and a blog: the last ${sample} weeks of each, one window of 7 days each; football games as events of one page.`;
  return { name: 'pages', title: 'Page views, daily', facts, ...DAILY, questions };
}

/** Rides by four means of transport by the day, a week ahead. */
export async function transport({ folder, sample }: SetOptions): Promise<QuestionSet> {
  const [header = [], ...rows] = await readCells(path.join(folder, 'skforecast', 'public-transport-madrid.csv'));
  const plan = { windows: sample, horizon: 7, least: 120 };
  const events = dayEvents('holiday', MADRID_HOLIDAYS, 0);
  const questions = ['metro', 'bus', 'road', 'train'].flatMap((id): Question[] => {
    const column = header.indexOf(id);
    const values = rows.map((row) => ({ at: timeOf(row[0] ?? ''), value: Number(row[column]) }));
    return lastWindows({ id, series: meansByStep(values, DAY_MS), events }, plan);
  });
  const facts = `Metro, bus, road and train in Madrid: the last ${sample} weeks of each, one window of 7 days each; public holidays as events.`;
  return { name: 'transport', title: 'Public transport, daily', facts, ...DAILY, questions };
}

function dayEvents(kind: string, days: string, later: number): TimedEvent[] {
  return days.split(' ').map((day): TimedEvent => {
    const startMs = timeOf(day) + later * DAY_MS;
    return { id: `${kind} ${day}`, kind, startMs, endMs: startMs + DAY_MS, uplift: undefined };
  });
}
