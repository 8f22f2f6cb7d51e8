/**
 * The twin against real Envoys: `node --import tsx bench/twin/main.ts [--quick] [--repeats N] [--seconds N]
 * [--calibration-seconds N] [--only NAME]… [--save FILE] [--from FILE] [--out FILE]`. `--save` keeps what was measured,
 * `--from` judges the twin by what was kept instead of measuring again; the tables go between their markers in `--out`.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { closeConnections } from '../../test/fixtures/envoyProcess.js';
import { betweenMarkers } from '../markdown.js';
import type { Observed } from './calibration.js';
import { ejectionReport } from './ejectionReport.js';
import { loadsOf } from './loads.js';
import { measureRun } from './measure.js';
import type { RealRun } from './measure.js';
import { observe } from './observe.js';
import { beforeOthers } from './priority.js';
import { startRealMesh } from './realMesh.js';
import type { RealMesh } from './realMesh.js';
import { setUpReport, summaryReport } from './setUpReport.js';
import { SET_UPS } from './setUps.js';
import type { SetUp } from './setUps.js';

/** What `--save` keeps. */
interface Measured {
  seconds: number;
  warmUpSeconds: number;
  /** By set-up. */
  observed: Record<string, Observed>;
  runs: RealRun[];
  ejections: string;
}

const WARM_UP_SECONDS = 4;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    repeats: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '20' },
    'calibration-seconds': { type: 'string', default: '20' },
    only: { type: 'string', multiple: true },
    save: { type: 'string' },
    from: { type: 'string' },
    out: { type: 'string' },
  },
});
const { quick } = values;
const repeats = quick ? 1 : Number(values.repeats);
const setUps = SET_UPS.filter(({ name }) => values.only?.includes(name) ?? true);

async function measureAll(): Promise<Measured> {
  const measured: Measured = {
    seconds: quick ? 4 : Number(values.seconds),
    warmUpSeconds: quick ? 2 : WARM_UP_SECONDS,
    observed: {},
    runs: [],
    ejections: '',
  };
  measured.ejections = await ejectionReport(quick);
  for (const setUp of setUps) {
    measured.observed[setUp.name] = await observe(setUp, quick ? 2 : Number(values['calibration-seconds']));
    process.stderr.write(`${setUp.name}: observed\n`);
    keep(measured);
  }
  for (let repeat = 0; repeat < repeats; repeat++) await measureRound(measured, repeat);
  return measured;
}

/** Of all set-ups at one load after the other: what disturbs the machine meanwhile disturbs all alike. */
async function measureRound(measured: Measured, repeat: number): Promise<void> {
  const meshes = new Map<SetUp, RealMesh>();
  try {
    for (const setUp of setUps) meshes.set(setUp, await startRealMesh(setUp, { seed: 1000 + repeat }));
    for (const load of chosenLoads(measured)) {
      for (const [setUp, mesh] of meshes) {
        const run = await measureRun(mesh, setUp, load, repeat);
        measured.runs.push(run);
        keep(measured);
        const { figures, lagP99Ms } = run;
        process.stderr.write(
          `${repeat} ${setUp.name} ${load.name} lag ${lagP99Ms.toFixed(2)} ${JSON.stringify(figures)}\n`,
        );
      }
    }
  } finally {
    for (const mesh of meshes.values()) await mesh.stop();
  }
}

/** In a hurry one load of each kind. */
function chosenLoads({ seconds, warmUpSeconds }: Measured): ReturnType<typeof loadsOf> {
  const loads = loadsOf(seconds * 1000, warmUpSeconds * 1000);
  return quick ? loads.filter(({ name }) => name === '0.65×' || name === '1.5×') : loads;
}

function keep(measured: Measured): void {
  if (values.save !== undefined) writeFileSync(values.save, `${JSON.stringify(measured)}\n`);
}

if (values.from === undefined && !beforeOthers(true)) {
  process.stderr.write('not allowed to run before other programs: more runs may be void\n');
}
const measured =
  values.from !== undefined && existsSync(values.from)
    ? (JSON.parse(readFileSync(values.from, 'utf8')) as Measured)
    : await measureAll();
closeConnections();
beforeOthers(false);
const loads = loadsOf(measured.seconds * 1000, measured.warmUpSeconds * 1000);
const reports = setUps.flatMap((setUp) => {
  const observed = measured.observed[setUp.name];
  const runs = measured.runs.filter((run) => run.setUp === setUp.name);
  return observed === undefined ? [] : [setUpReport(setUp, loads, runs, observed)];
});
const body = [summaryReport(measured, reports), ...reports.map(({ text }) => text), measured.ejections].join('\n\n');
process.stdout.write(`${body}\n`);
if (values.out !== undefined) {
  writeFileSync(values.out, betweenMarkers(readFileSync(values.out, 'utf8'), 'bench:twin', body));
}
