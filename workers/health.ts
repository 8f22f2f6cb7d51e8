import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { Worker } from '@temporalio/worker';

/** `/healthz`: the process is well; `/readyz`: it polls for work. 503 otherwise, with the worker's state as text. */
export async function serveHealth(port: number, worker: Worker): Promise<Server> {
  const server = createServer((request, response) => {
    const state = worker.getState();
    const healthy = request.url === '/readyz' ? state === 'RUNNING' : state !== 'FAILED' && state !== 'STOPPED';
    const known = request.url === '/healthz' || request.url === '/readyz';
    response.writeHead(known ? (healthy ? 200 : 503) : 404, { 'content-type': 'text/plain' });
    response.end(known ? `${state}\n` : 'only /healthz and /readyz are here\n');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}
