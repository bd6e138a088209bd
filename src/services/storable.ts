// PostgreSQL takes no U+0000 in text: what a client sends with one is known to nobody.

/** True for text that can be stored and looked up. */
export function isStorable(text: string): boolean {
  return !text.includes('\0');
}

/** The same text as PostgreSQL can keep it. */
export function storable(text: string): string {
  return text.replaceAll('\0', '');
}
