import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on loopback for tests of remote sources: it answers as it is told, and remembers what it was asked. */
export interface Feed {
  url: string;
  requests: IncomingMessage[];
  answer: Answer;
  close(): Promise<void>;
}

export async function startFeed(answer: Answer): Promise<Feed> {
  const server = createServer((request, response) => {
    feed.requests.push(request);
    feed.answer(request, response);
  });
  const feed: Feed = {
    url: '',
    requests: [],
    answer,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  feed.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
  return feed;
}

export function text(body: string, headers: Record<string, string> = {}): Answer {
  return (_, response) => void response.writeHead(200, headers).end(body);
}

export function status(code: number, headers: Record<string, string> = {}): Answer {
  return (_, response) => void response.writeHead(code, headers).end('no');
}
