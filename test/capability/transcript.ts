/** One step of the drill: what is typed, and what the page says that it prints. */
export interface DrillStep {
  lines: readonly string[];
  /** `null`: the page does not show it yet. */
  printed: string | null;
}

const SECTION = /(<!-- drill: [^\n]* -->\n)(.*?)(<!-- \/drill -->)/s;
/** A shell block within a list, and the block of what it printed where there is one. */
const STEP = /^ {3}```sh\n(.*?)^ {3}```\n(?:\n {3}```text\n(.*?)^ {3}```\n)?/gms;

/** Steps between the two marks of the page, in order. */
export function readDrill(page: string): readonly DrillStep[] {
  const [, , section] = SECTION.exec(page) ?? [];
  if (section === undefined) throw new Error('the page has no marks for the drill');
  return [...section.matchAll(STEP)].map(([, lines = '', printed]) => ({
    lines: outdented(lines).trimEnd().split('\n'),
    printed: printed === undefined ? null : outdented(printed),
  }));
}

/** The page with what each step printed, in place of what it showed before. */
export function writeDrill(page: string, printed: readonly string[]): string {
  let index = -1;
  return page.replace(SECTION, (_, begin: string, section: string, end: string) => {
    const written = section.replace(STEP, (_step, lines: string) => {
      index += 1;
      const shown = (printed[index] ?? '').replace(/^(?=.)/gm, '   ');
      return `   \`\`\`sh\n${lines}   \`\`\`\n\n   \`\`\`text\n${shown}   \`\`\`\n`;
    });
    return `${begin}${written}${end}`;
  });
}

/** The same whenever and wherever it is typed: ids, times and hashes are told by what they are. */
export function normalised(printed: string): string {
  return printed
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/\b(\d+-[a-z-]+)-[0-9a-f]{8}\b/g, '$1-<hash>')
    .replace(/\b[0-9a-f]{64}\b/g, '<hash>')
    .replace(/[ \t]+$/gm, '')
    .replace(/\n*$/, '\n');
}

function outdented(block: string): string {
  return block.replace(/^ {3}/gm, '');
}
