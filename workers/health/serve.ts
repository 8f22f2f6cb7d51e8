import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { HealthReport } from './checks.js';

export interface HealthServerOptions {
  port: number;
  address: string;
  report(): HealthReport;
  metrics(): Promise<{ contentType: string; text: string }>;
}

interface Answer {
  status: number;
  contentType: string;
  body: string;
}

const TEXT = 'text/plain; charset=utf-8';

/**
 * `/healthz`: a restart would not help; `/readyz`: it can do its work, each check with its state, as text or with
 * `?format=json`; 503 otherwise. `/metrics`: Prometheus' text format.
 */
export async function serveHealth(options: HealthServerOptions): Promise<Server> {
  const server = createServer((request, response) => {
    answerOf(options, request).then(
      (answer) => send(response, answer),
      (error: unknown) => send(response, { status: 500, contentType: TEXT, body: `${String(error)}\n` }),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.address, resolve);
  });
  return server;
}

async function answerOf(options: HealthServerOptions, request: IncomingMessage): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://worker');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, contentType: TEXT, body: 'only GET is served here\n' };
  }
  switch (url.pathname) {
    case '/healthz':
    case '/readyz': {
      const report = options.report();
      const well = url.pathname === '/healthz' ? report.live : report.ready;
      return { status: well ? 200 : 503, ...bodyOf(report, url) };
    }
    case '/metrics': {
      const { contentType, text } = await options.metrics();
      return { status: 200, contentType, body: text };
    }
    default:
      return { status: 404, contentType: TEXT, body: 'only /healthz, /readyz and /metrics are here\n' };
  }
}

function bodyOf(report: HealthReport, url: URL): Pick<Answer, 'contentType' | 'body'> {
  if (url.searchParams.get('format') === 'json') {
    return { contentType: 'application/json', body: `${JSON.stringify(report)}\n` };
  }
  const lines = report.checks.map(({ name, state, detail }) => `${name} ${state}: ${detail}`);
  return { contentType: TEXT, body: `${[report.state, ...lines].join('\n')}\n` };
}

function send(response: ServerResponse, { status, contentType, body }: Answer): void {
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
  response.end(body);
}
