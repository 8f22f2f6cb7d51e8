/** Brackets of flow collections and dashes of compact sequences: what the YAML parser follows by recursion. */
export function nestsTooDeep(text: string, maxDepth: number): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{') depth++;
    // One that closes nothing is the parser's to refuse, and must not hide how deep others nest.
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    if (depth > maxDepth) return true;
  }
  return new RegExp(`(?:[-?:]\\s+){${maxDepth}}`).test(text);
}
