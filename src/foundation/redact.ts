// Keeps secrets out of what a person or a log may see.

/** A connection string without user and password: `mongodb://***@host/…`. */
export function redactUri(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^/?#\s]*@/gi, '$1***@');
}
