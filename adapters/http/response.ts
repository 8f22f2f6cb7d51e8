import { isRecord } from '../../core/spec/rawDocument.js';

/** The text of a body; `null` beyond the limit, and the rest is then never asked for. */
export async function readLimited(response: Response, maxBytes: number): Promise<string | null> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  // Leaving the loop early cancels the stream.
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return null;
    parts.push(decoder.decode(chunk, { stream: true }));
  }
  return parts.join('') + decoder.decode();
}

/** `fetch` says only "fetch failed"; what happened is in the cause. Its errors may come from another realm. */
export function causeOf(error: unknown): string {
  const outer = isRecord(error) ? error : {};
  const inner = isRecord(outer['cause']) ? outer['cause'] : outer;
  return String(inner['message'] || inner['code'] || 'no reason given');
}
