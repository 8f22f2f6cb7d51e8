import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/**
 * Stands between a worker and the time-skipping server, which keeps a workflow's tasks for the worker that had the last
 * one, and for ever: unlike a real server it neither times that out nor can be told to give it up. While `unsticking`,
 * the worker's wish to have the next task too is hidden from the server, so that any worker may take the workflow over.
 */
export class Unsticker {
  unsticking = false;
  /** Tasks completed without the wish. */
  hidden = 0;
  private readonly sockets = new Set<Socket>();

  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  static async start(target: string): Promise<Unsticker> {
    const [host = '', port] = target.split(':');
    const server = createServer({ noDelay: true });
    const unsticker = new Unsticker(server);
    server.on('connection', (worker) => unsticker.join(worker, connect({ host, port: Number(port), noDelay: true })));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return unsticker;
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(worker: Socket, target: Socket): void {
    worker.on('data', (bytes) => {
      if (this.unsticking) this.hide(bytes);
      target.write(bytes);
    });
    target.on('data', (bytes) => worker.write(bytes));
    for (const [one, other] of [
      [worker, target],
      [target, worker],
    ] as const) {
      this.sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  }

  /**
   * `sticky_attributes` is field 4 of RespondWorkflowTaskCompletedRequest and begins with a task queue of a name; as
   * field 15, which nobody knows, it is ignored, and every length stays as it was.
   */
  private hide(bytes: Buffer): void {
    for (const match of bytes.toString('latin1').matchAll(STICKY)) {
      bytes[match.index] = FIELD_15;
      this.hidden += 1;
    }
  }
}

/** Field 4 with its length, in it field 1 with its length, in it a name that begins as the worker's identity does. */
const STICKY = /".{1,2}\n.\n.sticks-/gs;
const FIELD_15 = (15 << 3) | 2;
