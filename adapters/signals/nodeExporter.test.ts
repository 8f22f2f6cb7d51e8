import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { freePort } from '../../delivery/fixtures/hosts.js';
import { hostUsage } from '../../core/tuning/hostUsage.js';
import { hostSpec, shopRegion } from '../../test/fixtures/regionSpec.js';
import type { RegionSpec } from '../../core/spec/region.js';
import { hostRows, measuredHosts, readHosts, readingsOfRows } from './nodeExporter.js';

/** As node_exporter 1.5 writes it. */
function metrics({ busy, idle }: { busy: number; idle: number }): string {
  return [
    '# TYPE node_cpu_guest_seconds_total counter',
    'node_cpu_guest_seconds_total{cpu="0",mode="user"} 900',
    '# TYPE node_cpu_seconds_total counter',
    `node_cpu_seconds_total{cpu="0",mode="idle"} ${idle}`,
    `node_cpu_seconds_total{cpu="1",mode="idle"} ${idle}`,
    'node_cpu_seconds_total{cpu="0",mode="iowait"} 19.01',
    `node_cpu_seconds_total{cpu="0",mode="user"} ${busy}`,
    `node_cpu_seconds_total{cpu="1",mode="system"} ${busy}`,
    'node_cpu_seconds_total{cpu="0",mode="steal"} 9.8',
    'node_load1 0.12',
    'node_memory_MemAvailable_bytes 2.4718434304e+10',
    'node_memory_MemTotal_bytes 2.5276502016e+10',
    '',
  ].join('\n');
}

const servers: Server[] = [];

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

function region(...nodeExporters: (string | undefined)[]): RegionSpec {
  const hosts = nodeExporters.map((nodeExporter, i) =>
    hostSpec({ name: `edge-${i + 1}`, ...(nodeExporter === undefined ? {} : { nodeExporter }) }),
  );
  return shopRegion({ delivery: { tool: 'ansible', hostWaitSeconds: 30, hosts } });
}

describe('readHosts', () => {
  it('reads CPU by what it was used for, over all CPUs, and memory; asks for no more', async () => {
    const asked: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      asked.push(request.url);
      response.end(metrics({ busy: 100, idle: 1000 }));
    });
    const spec = region(url, undefined);
    expect(measuredHosts(spec)).toEqual(['edge-1']);
    expect(await readHosts(spec, { now: () => 5000 })).toEqual({
      readings: [
        {
          host: 'edge-1',
          at: 5000,
          cpus: 2,
          busySeconds: 200,
          idleSeconds: 2000,
          iowaitSeconds: 19.01,
          stealSeconds: 9.8,
          memoryTotalBytes: 25_276_502_016,
          memoryAvailableBytes: 24_718_434_304,
          load1: 0.12,
        },
      ],
      problems: [],
    });
    expect(asked.map((one) => decodeURIComponent(one ?? ''))).toEqual([
      '/metrics?collect[]=cpu&collect[]=meminfo&collect[]=loadavg',
    ]);
  });

  it('has a problem and no reading for each that does not answer as a node exporter', async () => {
    const silent = await serve(() => undefined);
    const answering = (status: number, text: string): Promise<string> =>
      serve((_, response) => response.writeHead(status).end(text));
    const spec = region(
      silent,
      `http://127.0.0.1:${await freePort()}/metrics`,
      await answering(503, 'busy'),
      await answering(200, '<html>'),
      await answering(200, 'other_metric 1\n'),
      await answering(200, 'node_cpu_seconds_total{cpu="0",mode="user"} 1\n'),
      await answering(200, 'node_cpu_seconds_total{cpu="0",mode="idle"} -1\n'),
      await answering(200, 'node_cpu_seconds_total{cpu="0",mode="dreaming"} 1\n'),
      await answering(200, metrics({ busy: 1, idle: 1 })),
    );
    const { readings, problems } = await readHosts(spec, { now: () => 5000, timeoutMs: 400 });
    expect(readings.map(({ host }) => host)).toEqual(['edge-9']);
    const expected = [
      /edge-1: .*timeout/,
      /edge-2: .*fetch failed: connect ECONNREFUSED/,
      /edge-3: .*503: busy/,
      /edge-4: .*no Prometheus text/,
      /edge-5: .*has no node_cpu_seconds_total/,
      /edge-6: .*lacks mode "idle" of 1 CPUs/,
      /edge-7: .*in mode idle is -1/,
      /edge-8: .*not known: "dreaming"/,
    ];
    expect(problems).toEqual(expected.map((words) => expect.stringMatching(words)));
  });

  it('refuses an answer without end, and stops when it is aborted', async () => {
    const endless = await serve((_, response) => {
      const more = (): void => {
        while (response.write('#'.repeat(1 << 20)));
        response.once('drain', more);
      };
      more();
    });
    const { problems } = await readHosts(region(endless), { now: () => 0 });
    expect(problems).toEqual([expect.stringMatching(/more than 8388608 bytes/)]);
    const aborted = readHosts(region(endless), { now: () => 0, signal: AbortSignal.abort(new Error('stop')) });
    await expect(aborted).rejects.toThrow('stop');
  });
});

it('keeps in rows what the next reading is compared with', async () => {
  let busy = 100;
  const url = await serve((_, response) => response.end(metrics({ busy: (busy += 3), idle: 900 + busy / 3 })));
  const spec = region(url);
  const first = await readHosts(spec, { now: () => 10_000 });
  const rows = hostRows('north', first.readings, hostUsage(['edge-1'], [], first.readings, 10_000));
  expect(rows[0]).toMatchObject({ measurement: 'host', tags: { region: 'north', host: 'edge-1' }, at: 10_000 });
  expect(rows[0]?.fields).not.toHaveProperty('cpu_share');
  expect(readingsOfRows(rows)).toEqual(first.readings);
  const second = await readHosts(spec, { now: () => 20_000 });
  const usages = hostUsage(measuredHosts(spec), readingsOfRows(rows), second.readings, 20_000);
  expect(usages.problems).toEqual([]);
  const [row] = hostRows('north', second.readings, usages);
  expect(row?.fields['cpu_share']).toBeCloseTo(0.75);
  expect(row?.fields).toMatchObject({ iowait_share: 0, steal_share: 0, cpus: 2, load1: 0.12 });
});
