import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import type { AuditLog, AuditRead } from '../adapters/audit/port.js';
import { createSqliteAuditLog } from '../adapters/audit/sqlite.js';
import { recordsOf, recordsOfFile, verifyPages } from '../adapters/audit/stream.js';
import type { AuditHead, AuditRecord } from '../core/audit/record.js';
import { AUDIT_KINDS, EMPTY_HEAD } from '../core/audit/record.js';
import type { ChainReport } from '../core/audit/verify.js';
import { parseHead } from '../core/audit/verify.js';
import type { Problem } from '../core/spec/problem.js';
import { workerConfig } from '../workers/config.js';
import { auditLine, reportText } from './auditText.js';
import { EXIT, printJson, refuse } from './output.js';

type Format = 'text' | 'json';

interface VerifyCommand {
  region?: string;
  state?: string;
  head: readonly string[];
  after?: string;
  ask: boolean;
  format: Format;
}

/** The record of what was decided and done: checked, taken out, looked at. Works without a worker or Temporal. */
export function registerAudit(program: Command): void {
  const audit = program.command('audit').description('what was decided and done: verify, export and list the record');
  registerVerify(audit);
  registerExport(audit);
  registerList(audit);
}

function registerVerify(audit: Command): void {
  audit
    .command('verify')
    .description('check the chain of hashes, and name every break')
    .argument('[file]', 'an export; absent: the audit of the state folder')
    .option('--region <name>', 'that the chain is of; absent: every region there is')
    .option('--state <dir>', 'state folder of the worker')
    .option('--head <seq:hash>', 'a record known from elsewhere that must be there; may be repeated', collect, [])
    .option('--after <seq:hash>', 'the record before the first one, where a part of a chain was exported')
    .option('--ask', 'ask the running region where its chain ends (TEMPORAL_ADDRESS)', false)
    .option('--format <format>', 'text or json', 'text')
    .action(async (file: string | undefined, options: VerifyCommand) => {
      const { format } = options;
      const heads = [...options.head, ...(options.after === undefined ? [] : [options.after])];
      const problems = heads.flatMap((text) => (parseHead(text) === null ? [headProblem(text)] : []));
      if (options.ask && options.region === undefined) problems.push(askProblem());
      if (problems.length > 0) return refuse(problems, format);
      const reports = file === undefined ? await verifyState(options) : [await verifyFile(file, options)];
      if (format === 'json') printJson({ ok: reports.every(holds), regions: reports });
      else process.stdout.write(reports.map(reportText).join(''));
      if (!reports.every(holds)) process.exitCode = EXIT.notSo;
    });
}

function registerExport(audit: Command): void {
  audit
    .command('export')
    .description('write the records of a region to stdout, one JSON object a line; `verify` takes it')
    .requiredOption('--region <name>')
    .option('--state <dir>', 'state folder of the worker')
    .option('--from <seq>', 'first record', wholeNumber, 1)
    .option('--to <seq>', 'last record', wholeNumber, Number.MAX_SAFE_INTEGER)
    .action(async (options: { region: string; state?: string; from: number; to: number }) => {
      const { region, from, to } = options;
      await withAudit(options.state, async (log) => {
        let last: AuditHead = EMPTY_HEAD;
        for await (const page of recordsOf(log, region, from, to)) {
          const records = page.map((read) => readable(read, region));
          last = records.at(-1) ?? last;
          const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
          if (!process.stdout.write(text)) await once(process.stdout, 'drain');
        }
        const before = from === 1 ? [] : await log.read(region, from - 1, 1);
        const [after] = before.map((read) => readable(read, region));
        const tell = after === undefined ? '' : ` --after ${after.seq}:${after.hash}`;
        process.stderr.write(`verify it with: psmg audit verify FILE --head ${last.seq}:${last.hash}${tell}\n`);
        if (last.seq === 0) throw new Error(`nothing is recorded of region "${region}" there`);
      });
    });
}

function registerList(audit: Command): void {
  audit
    .command('list')
    .description('records of a region, oldest first')
    .requiredOption('--region <name>')
    .option('--state <dir>', 'state folder of the worker')
    .option('--since <time>', 'ISO 8601 with zone')
    .option('--kind <kinds>', `separated by commas: ${AUDIT_KINDS.join(', ')}`)
    .option('--format <format>', 'text or json', 'text')
    .action(async (options: { region: string; state?: string; since?: string; kind?: string; format: Format }) => {
      const { region, since, kind, format } = options;
      const kinds = kind?.split(',') ?? null;
      const sinceMs = since === undefined ? -Infinity : Date.parse(since);
      const problems = [
        ...(Number.isNaN(sinceMs) ? [problem('--since', `"${since}" is no time`, 'ISO 8601 with a zone')] : []),
        ...(kinds ?? [])
          .filter((one) => !(AUDIT_KINDS as readonly string[]).includes(one))
          .map((one) => problem('--kind', `there is no kind "${one}"`, `one of ${AUDIT_KINDS.join(', ')}`)),
      ];
      if (problems.length > 0) return refuse(problems, format);
      await withAudit(options.state, async (log) => {
        const found: AuditRecord[] = [];
        for await (const page of recordsOf(log, region)) {
          for (const read of page) {
            if (!read.ok || Date.parse(read.record.at) < sinceMs) continue;
            if (kinds !== null && !kinds.includes(read.record.kind)) continue;
            if (format === 'json') found.push(read.record);
            else process.stdout.write(`${auditLine(read.record)}\n`);
          }
        }
        if (format === 'json') printJson({ region, records: found });
      });
    });
}

async function verifyFile(file: string, options: VerifyCommand): Promise<ChainReport> {
  return verify(recordsOfFile(file), options, await anchorsOf(options));
}

async function verifyState(options: VerifyCommand): Promise<readonly ChainReport[]> {
  return withAudit(options.state, async (log) => {
    const regions = options.region === undefined ? await log.regions() : [options.region];
    const anchors = await anchorsOf(options);
    const reports: ChainReport[] = [];
    for (const region of regions) reports.push(await verify(recordsOf(log, region), { ...options, region }, anchors));
    return reports;
  });
}

async function verify(
  pages: AsyncIterable<readonly AuditRead[]>,
  options: Pick<VerifyCommand, 'region' | 'after'>,
  anchors: readonly AuditHead[],
): Promise<ChainReport> {
  const after = options.after === undefined ? null : parseHead(options.after);
  return verifyPages(pages, {
    anchors,
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(after === null ? {} : { after }),
  });
}

async function anchorsOf(options: VerifyCommand): Promise<readonly AuditHead[]> {
  const given = options.head.flatMap((text) => parseHead(text) ?? []);
  if (!options.ask || options.region === undefined) return given;
  const { auditHeads } = await import('./regionClient.js');
  return [...given, ...(await auditHeads(options.region))];
}

async function withAudit<T>(state: string | undefined, use: (log: AuditLog) => Promise<T>): Promise<T> {
  const directory = state === undefined ? workerConfig(process.env, process.cwd()).stateDirectory : path.resolve(state);
  const file = path.join(directory, 'audit.db');
  if (!existsSync(file)) throw new Error(`there is no audit in ${directory}`);
  const log = createSqliteAuditLog(file, { readOnly: true });
  try {
    return await use(log);
  } finally {
    await log.close();
  }
}

function readable(read: AuditRead, region: string): AuditRecord {
  if (read.ok) return read.record;
  throw new Error(`record ${read.place} of "${region}" ${read.detail}: psmg audit verify names every break`);
}

function holds({ breakCount, records }: ChainReport): boolean {
  return breakCount === 0 && records > 0;
}

function collect(text: string, sofar: readonly string[]): readonly string[] {
  return [...sofar, text];
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`"${text}" is no number of a record`);
  return value;
}

function headProblem(text: string): Problem {
  return problem('--head', `"${text}" is no end of a chain`, 'SEQ:HASH with 64 hexadecimal digits');
}

function askProblem(): Problem {
  return problem('--ask', 'no region is named', '--region NAME beside it');
}

function problem(field: string, message: string, expected: string): Problem {
  return { code: 'audit-option', field, message, expected };
}
