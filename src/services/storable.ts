// PostgreSQL takes no U+0000 in text, and half a surrogate pair in no JSON: what a client sends with one is known to nobody, and is refused where it would be kept.
import { LeafvaultError } from '../foundation/errors.ts';

/** True for text that can be stored and looked up. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** Text that is kept as it was sent. @throws TEXT_NOT_STORABLE */
export function keptText(name: string, text: string): string {
  if (isStorable(text)) return text;
  throw new LeafvaultError('TEXT_NOT_STORABLE', `Keeping ${name} failed: it holds U+0000 or half a character, which cannot be stored`, { details: { name } });
}

/** A name to look up: one that nobody has where the given one cannot be anybody's. */
export function nameToFind(text: string): string {
  return isStorable(text) ? text : '';
}
