const LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
/** Between the highest mark and all of it: a window that lost one request in a hundred is to be seen. */
const WHOLE = 0.9999;

/** Shares 0–1 over time, a character a window: `█` all, `▁` none, a space where nothing came. */
export function shareLine(shares: readonly (number | null)[]): string {
  return shares
    .map((share) => {
      if (share === null) return ' ';
      if (share >= WHOLE) return '█';
      return LEVELS[Math.min(LEVELS.length - 2, Math.floor(share * (LEVELS.length - 1)))] ?? '▁';
    })
    .join('');
}
