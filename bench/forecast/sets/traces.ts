import path from 'node:path';

import type { Question, QuestionSet, SetOptions } from '../data.js';
import type { Row } from './csv.js';
import { meansByStep, readCells, timeOf } from './csv.js';
import { lastWindows } from './windows.js';

const MINUTE_MS = 60_000;

/** Requests to two web services by the hour, a day ahead, origins half a day apart. */
export async function web({ folder, sample }: SetOptions): Promise<QuestionSet> {
  const plan = { windows: sample, horizon: 24, stride: 12, least: 240 };
  const questions: Question[] = [];
  for (const name of ['nasa', 'twitter']) {
    const rows = await readRows(path.join(folder, 'webtraces', `${name}_5min.csv`));
    questions.push(...lastWindows({ id: name, series: meansByStep(rows, 60 * MINUTE_MS) }, plan));
  }
  return {
    name: 'web',
    title: 'Web requests, hourly',
    facts: `NASA's web server in 1995 and a Twitter stream in 2021: the last ${sample} windows of 24 h of each, origins 12 h apart.`,
    seasons: [24, 168],
    maseSeason: 24,
    isRegion: false,
    questions,
  };
}

const CLOUD = [
  'elb_request_count_8c0756',
  'ec2_network_in_257a54',
  'ec2_cpu_utilization_5f5533',
  'rds_cpu_utilization_cc0c53',
  'grok_asg_anomaly',
];

/** Load of five parts of cloud services by the quarter of an hour, a day ahead. */
export async function cloud({ folder, sample }: SetOptions): Promise<QuestionSet> {
  const plan = { windows: sample, horizon: 96, stride: 96, least: 384 };
  const questions: Question[] = [];
  for (const id of CLOUD) {
    const rows = await readRows(path.join(folder, 'nab', `${id}.csv`));
    questions.push(...lastWindows({ id, series: meansByStep(rows, 15 * MINUTE_MS) }, plan));
  }
  return {
    name: 'cloud',
    title: 'Cloud load, every 15 minutes',
    facts: `Five series of the Numenta Anomaly Benchmark (requests, network, processor, instances): the last ${sample} days of each, one window of 24 h a day, anomalies left in.`,
    seasons: [96, 672],
    maseSeason: 96,
    isRegion: false,
    questions,
  };
}

async function readRows(file: string): Promise<Row[]> {
  const rows = await readCells(file);
  return rows.slice(1).map(([time = '', value = '']) => ({ at: timeOf(time), value: Number(value) }));
}
