import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { parseRegion } from '../core/spec/parseRegion.js';
import { formatProblem } from '../core/spec/problem.js';
import type { RegionSpec, SocketSpec } from '../core/spec/region.js';
import { locatePart } from '../scripts/parts/locate.js';
import { freePortRange } from './ports.js';
import { projectRoot } from './run.js';

export interface RegionFileOptions {
  directory: string;
  speed?: number;
  demandFrom?: string;
  rateScale?: number;
  judgeSeconds?: number;
  minRequests?: number;
  tickSeconds?: number;
  startupSeconds?: number;
  autonomy?: RegionSpec['autonomy'];
  /** Has the last word on the file, before it is checked and written. */
  change?(document: Document): void;
  instanceTargetsUrl: string;
  entryUrl: string;
  neighbourGateway: SocketSpec;
}

export interface WrittenRegion {
  file: string;
  text: string;
  spec: RegionSpec;
  /** Demand that came after the history. */
  demandFile: string;
}

const EXAMPLE = path.join(projectRoot, 'examples', 'eu-west');
const LOOPBACK = '127.0.0.1';

/**
 * The example's region file with what differs from run to run: free ports, folders, paths of the parts, hooks, and a
 * demand clock that starts now. Everything else, comments included, is as the example has it.
 */
export async function writeRegionFile(options: RegionFileOptions): Promise<WrittenRegion> {
  const exampleFile = path.join(EXAMPLE, 'region.yaml');
  const exampleText = readFileSync(exampleFile, 'utf8');
  const example = parsed(exampleText, exampleFile);
  const document = parseDocument(exampleText);
  await setHosts(document, example, options.directory);
  await setEndpoints(document, example);
  setClock(document, example, options);
  setOverrides(document, example, options);
  document.setIn(['neighbours', 0, 'gateway'], text(options.neighbourGateway));
  const hook = (url: string): unknown => document.createNode({ url, timeoutSeconds: 5 }, { flow: true });
  document.set('hooks', document.createNode({}));
  document.setIn(['hooks', 'instanceTargets'], hook(options.instanceTargetsUrl));
  document.setIn(['hooks', 'entry'], hook(options.entryUrl));
  const rateScale = options.rateScale ?? 1;
  const historyFile = copyDemand('history.csv', options.directory, rateScale);
  const demandFile = copyDemand('demand.csv', options.directory, rateScale);
  document.setIn(['history', 'file'], historyFile);
  options.change?.(document);

  const file = path.join(options.directory, 'region.yaml');
  const written = document.toString({ lineWidth: 0 });
  writeFileSync(file, written);
  return { file, text: written, spec: parsed(written, file), demandFile };
}

async function setHosts(document: Document, example: RegionSpec, directory: string): Promise<void> {
  for (const [index, host] of example.delivery.hosts.entries()) {
    const first = await freePortRange(3);
    const at = (...keys: string[]): (string | number)[] => ['delivery', 'hosts', index, ...keys];
    document.setIn(at('directory'), path.join(directory, 'hosts', host.name));
    document.setIn(at('python'), pythonPath());
    document.setIn(at('proxy', 'binary'), locatePart('envoy'));
    for (const [offset, name] of ['ingress', 'mesh', 'admin'].entries()) {
      document.setIn(at('proxy', name), text({ address: LOOPBACK, port: first + offset }));
    }
  }
}

async function setEndpoints(document: Document, example: RegionSpec): Promise<void> {
  for (const [index, service] of example.services.entries()) {
    const count = service.endpoints.length;
    const first = await freePortRange(count);
    const range = count === 1 ? `${LOOPBACK}:${first}` : `${LOOPBACK}:${first}-${first + count - 1}`;
    document.setIn(['services', index, 'endpoints'], document.createNode([range], { flow: true }));
  }
}

function setClock(document: Document, example: RegionSpec, options: RegionFileOptions): void {
  const clock = example.demandClock;
  if (clock === undefined) throw new Error('the example has no demandClock to start from');
  document.setIn(['demandClock', 'demandFrom'], options.demandFrom ?? clock.demandFrom);
  document.setIn(['demandClock', 'wallFrom'], new Date().toISOString());
  document.setIn(['demandClock', 'speed'], options.speed ?? clock.speed);
}

function setOverrides(document: Document, example: RegionSpec, options: RegionFileOptions): void {
  if (options.judgeSeconds !== undefined) document.setIn(['activation', 'judgeSeconds'], options.judgeSeconds);
  if (options.minRequests !== undefined) document.setIn(['activation', 'minRequests'], options.minRequests);
  if (options.tickSeconds !== undefined) document.setIn(['operate', 'tickSeconds'], options.tickSeconds);
  if (options.autonomy !== undefined) document.set('autonomy', options.autonomy);
  if (options.startupSeconds === undefined) return;
  for (const index of example.services.keys()) {
    document.setIn(['services', index, 'capacity', 'startupSeconds'], options.startupSeconds);
  }
}

/** History and demand are scaled alike: a forecast of the one must fit the other. */
function copyDemand(name: string, directory: string, rateScale: number): string {
  const [header = '', ...lines] = readFileSync(path.join(EXAMPLE, name), 'utf8').trim().split('\n');
  const scaled = lines.map((line) => {
    const [timestamp, service, rps] = line.split(',');
    return `${timestamp},${service},${(Number(rps) * rateScale).toFixed(4)}`;
  });
  const file = path.join(directory, name);
  writeFileSync(file, `${[header, ...scaled].join('\n')}\n`);
  return file;
}

/** The Python that Ansible itself runs on: known to be there, and new enough. */
function pythonPath(): string {
  const beside = path.join(path.dirname(locatePart('ansible-playbook')), 'python3');
  return existsSync(beside) ? beside : '/usr/bin/python3';
}

function parsed(regionText: string, file: string): RegionSpec {
  const result = parseRegion(regionText, file);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.value;
}

function text(socket: SocketSpec): string {
  return `${socket.address}:${socket.port}`;
}
