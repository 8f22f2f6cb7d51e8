/** The first `textColumns` columns to the left, the others to the right; the first line is the header. */
export function markdownTable(cells: readonly (readonly string[])[], textColumns = 1): string {
  const [header = []] = cells;
  const widths = header.map((_, column) => Math.max(3, ...cells.map((line) => (line[column] ?? '').length)));
  const isText = (column: number): boolean => column < textColumns;
  const rule = widths.map((width, column) => (isText(column) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const padded = cells.map((line) =>
    line.map((cell, column) =>
      isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    ),
  );
  return [...padded.slice(0, 1), rule, ...padded.slice(1)].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

/** The text with what stands between the markers of this name replaced; markers are added at the end where missing. */
export function betweenMarkers(text: string, name: string, body: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) return `${text.trimEnd()}\n\n${begin}\n\n${body}\n\n${end}\n`;
  return `${text.slice(0, from + begin.length)}\n\n${body}\n\n${text.slice(to)}`;
}
