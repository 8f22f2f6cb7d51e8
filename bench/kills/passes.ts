import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** Places of an activity at which a worker can be told to die. */
export const POINTS = ['before', 'beat', 'after'] as const;
export type Point = (typeof POINTS)[number];

/** Activities with an effect or of some length; those that beat are killed there too. */
export const BEATING = ['forecastRegion', 'planRegion', 'deployRelease', 'awaitStack', 'judgeStage', 'tick'] as const;
export const BRIEF = [
  'applyIntent',
  'restoreDeployment',
  'readBack',
  'readTargets',
  'exportTargets',
  'moveEntry',
] as const;

export type Boundary = `${string}:${Point}`;

export const BOUNDARIES: readonly Boundary[] = [
  ...BEATING.flatMap((activity) => POINTS.map((point): Boundary => `${activity}:${point}`)),
  ...[...BRIEF, 'recordAudit'].flatMap((activity): Boundary[] => [`${activity}:before`, `${activity}:after`]),
];

/** One line of the workers' common record. */
export interface Pass {
  atMs: number;
  life: string;
  boundary: Boundary;
  /** The worker died here, by its own SIGKILL. */
  killed?: true;
}

export function notePass(file: string, pass: Pass): void {
  appendFileSync(file, `${JSON.stringify(pass)}\n`);
}

export function readPasses(file: string): Pass[] {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  return lines.map((line) => JSON.parse(line) as Pass);
}
