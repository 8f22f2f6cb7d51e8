import { MetricsQueryError } from './errors.js';

/**
 * Reads the CSV that answers Flux as it comes, handing on one record at a time: nothing of the text is kept. A `table`
 * with a column "error" is how the server says that it failed half-way.
 */
export async function readFluxCsv(
  chunks: AsyncIterable<Uint8Array>,
  take: (columns: readonly string[], cells: readonly string[]) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let columns: readonly string[] | null = null;
  let rest = '';
  const line = (text: string): void => {
    if (text === '') columns = null;
    else if (columns === null) columns = splitCsv(text);
    else if (columns.includes('error')) throw new MetricsQueryError(`InfluxDB: ${splitCsv(text).join(' ').trim()}`);
    else take(columns, splitCsv(text));
  };
  for await (const chunk of chunks) {
    rest = eachLine(rest + decoder.decode(chunk, { stream: true }), line);
  }
  eachLine(`${rest}${decoder.decode()}\n`, line);
}

/** Calls `take` for every whole line; what comes after the last of them. */
function eachLine(text: string, take: (line: string) => void): string {
  let start = 0;
  let search = 0;
  for (;;) {
    const end = text.indexOf('\n', search);
    if (end < 0) return text.slice(start);
    const found = text.slice(start, text[end - 1] === '\r' && end > start ? end - 1 : end);
    search = end + 1;
    // A line break within quotes belongs to a value.
    if (found.includes('"') && (found.split('"').length - 1) % 2 === 1) continue;
    take(found);
    start = search;
  }
}

export function splitCsv(line: string): readonly string[] {
  if (!line.includes('"')) return line.split(',');
  const cells: string[] = [];
  let at = 0;
  while (at <= line.length) {
    if (line[at] !== '"') {
      const comma = line.indexOf(',', at);
      const end = comma < 0 ? line.length : comma;
      cells.push(line.slice(at, end));
      at = end + 1;
      continue;
    }
    let end = at + 1;
    while (end < line.length && (line[end] !== '"' || line[end + 1] === '"')) end += line[end] === '"' ? 2 : 1;
    cells.push(line.slice(at + 1, end).replaceAll('""', '"'));
    at = end + 2;
  }
  return cells;
}
