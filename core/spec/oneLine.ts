/** Reasons may hold the words of people and files: a line break in them would end a comment and begin configuration. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
}
