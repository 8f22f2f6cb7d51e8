import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { regionWorkflowId } from '../workflows/shared/names.js';
import type { RegionStatus } from '../workflows/regionLifecycle/status.js';
import { isLostConnection } from './clientErrors.js';
import type { ConnectionChoice } from './connection.js';
import { withClient } from './regionClient.js';
import type { RegionRow } from './regionRow.js';
import { closedText, endedWell, regionRow } from './regionRow.js';
import { EXIT } from './output.js';
import { statusText } from './statusText.js';
import type { Facts } from './watchFacts.js';
import { changeLine, changesBetween, factsOfRow, factsOfStatus } from './watchFacts.js';

export interface WatchOptions {
  everyMs: number;
  format: 'text' | 'json';
  choice: ConnectionChoice;
}

/** One look: what the server knows, and the region's own word where a worker lets it speak. */
interface Look {
  row: RegionRow;
  /** How it ended; `null`: it runs. */
  closed: string | null;
  status: RegionStatus | null;
}

/** Longest wait for the region's own word before the server's has to do. */
const ASK_MS = 3000;

/** Shows the region until it ends or the person has seen enough; returns the exit code. */
export async function watchRegion(region: string, options: WatchOptions): Promise<number> {
  const enough = new AbortController();
  const stop = (): void => enough.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const screen = new Screen(region, options);
  try {
    for (;;) {
      try {
        return await withClient(
          (client) => watchWith(client, region, { ...options, screen, enough }),
          options.choice,
          region,
        );
      } catch (error) {
        if (enough.signal.aborted) return EXIT.ok;
        // At the first look a wrong address is more likely than a server that will be back.
        if (!screen.hasShown || !isLostConnection(error)) throw error;
        screen.note(`connection lost (${error instanceof Error ? error.message : String(error)}); trying again`);
        if (await ended(options.everyMs, enough.signal)) return EXIT.ok;
      }
    }
  } finally {
    process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop);
  }
}

async function watchWith(
  client: Client,
  region: string,
  { everyMs, screen, enough }: WatchOptions & { screen: Screen; enough: AbortController },
): Promise<number> {
  for (;;) {
    const look = await lookAt(client, region);
    if (enough.signal.aborted) return EXIT.ok;
    screen.show(look);
    if (look.closed !== null) {
      process.stderr.write(`${look.closed}\n`);
      return endedWell(look.row) ? EXIT.ok : EXIT.notSo;
    }
    if (await ended(everyMs, enough.signal)) return EXIT.ok;
  }
}

async function lookAt(client: Client, region: string): Promise<Look> {
  const handle = client.workflow.getHandle(regionWorkflowId(region));
  const info = await client.withDeadline(Date.now() + ASK_MS, () => handle.describe());
  const row = regionRow(info);
  const status = await client
    .withDeadline(Date.now() + ASK_MS, () => handle.query<RegionStatus>('status'))
    .catch(() => null);
  return { row, status, closed: info.closeTime === undefined ? null : closedText(region, info) };
}

/** `true` when the person has seen enough before the time has passed. */
async function ended(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await pause(ms, null, { signal });
    return false;
  } catch {
    return true;
  }
}

/** Draws the whole on a terminal, and writes changes as lines where something else reads. */
class Screen {
  hasShown = false;
  private readonly region: string;
  private readonly format: 'text' | 'json';
  private readonly isDrawn: boolean;
  private readonly everyMs: number;
  private before: Facts = {};
  private lastNote = '';

  constructor(region: string, { format, everyMs }: WatchOptions) {
    this.region = region;
    this.format = format;
    this.everyMs = everyMs;
    this.isDrawn = format === 'text' && process.stdout.isTTY;
  }

  show(look: Look): void {
    if (look.status === null) this.note('no worker answers: this is what the server knows');
    else this.lastNote = '';
    if (this.isDrawn) this.draw(look);
    else this.writeChanges(look);
    this.hasShown = true;
  }

  note(text: string): void {
    if (text === this.lastNote) return;
    this.lastNote = text;
    process.stderr.write(`${text}\n`);
  }

  private draw({ row, status }: Look): void {
    const body = status === null ? rowText(row, this.lastNote) : statusText(status);
    const foot = `${new Date().toISOString()}, every ${this.everyMs / 1000} s; Ctrl-C ends\n`;
    // Home, the text with each line cleared to its end, then everything below.
    process.stdout.write(`\u001b[H${`${body}${foot}`.replaceAll('\n', '\u001b[K\n')}\u001b[J`);
  }

  private writeChanges({ row, status }: Look): void {
    const facts = status === null ? factsOfRow(row) : { ...factsOfStatus(status), execution: row.execution };
    const known = this.hasShown ? this.before : null;
    for (const change of changesBetween(known, facts, { at: new Date().toISOString(), region: this.region })) {
      process.stdout.write(this.format === 'json' ? `${JSON.stringify(change)}\n` : changeLine(change));
    }
    this.before = { ...this.before, ...facts };
  }
}

function rowText({ region, phase, blockedReason, status, execution, startedAt }: RegionRow, note: string): string {
  return [
    `region ${region}: ${phase} (${execution.toLowerCase()}, started ${startedAt})`,
    ...(blockedReason === null ? [] : [`BLOCKED ${blockedReason}`]),
    ...(status === null ? [] : [`  ${status}`]),
    `  ${note}`,
    '',
  ].join('\n');
}
