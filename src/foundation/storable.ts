// PostgreSQL takes no U+0000 in text, and half a surrogate pair in no JSON.

/** The same text as PostgreSQL can keep it, for records of what was asked or happened: those must not fail. */
export function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}
