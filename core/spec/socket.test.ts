import { describe, expect, it } from '@jest/globals';

import { isAddress, MAX_RANGE, parseSockets } from './socket.js';

describe('parseSockets', () => {
  it.each([
    ['127.0.0.1:21000', 1, '127.0.0.1'],
    ['[::1]:80', 1, '::1'],
    ['edge-1.example.org:443', 1, 'edge-1.example.org'],
    ['10.0.0.1:1-3', 3, '10.0.0.1'],
  ])('reads %s', (text, count, address) => {
    const parsed = parseSockets(text);
    expect(parsed.ok && parsed.sockets.length).toBe(count);
    expect(parsed.ok && parsed.sockets[0]?.address).toBe(address);
  });

  it.each([
    '127.0.0.1',
    ':80',
    '127.0.0.1:0',
    '127.0.0.1:65536',
    '127.0.0.1:9-8',
    `a:1-${MAX_RANGE + 1}`,
    '::1:80',
    'a b:80',
    '',
  ])('refuses "%s"', (text) => {
    expect(parseSockets(text).ok).toBe(false);
  });

  it('takes a mistyped IPv4 address for what it is', () => {
    expect(isAddress('10.0.0.999')).toBe(false);
    expect(isAddress('10.0.0')).toBe(false);
    expect(isAddress('-a.example')).toBe(false);
  });
});
