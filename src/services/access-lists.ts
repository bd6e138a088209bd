// Changes of the addresses from which a credential may be used.
import { isAccessListEntry, plainAddress } from '../foundation/access-list.ts';
import { LeafvaultError } from '../foundation/errors.ts';

const LONGEST_LIST = 200;

/** The list with more entries, each once. @throws ACCESS_ENTRY_INVALID, ACCESS_LIST_FULL */
export function changeAccessList(list: readonly string[], more: readonly string[]): readonly string[] {
  const changed = [...list];
  for (const entry of more.map((each) => each.trim())) {
    if (!isAccessListEntry(entry)) throw new LeafvaultError('ACCESS_ENTRY_INVALID', `Adding ${JSON.stringify(entry)} to an access list failed: it is no address and no CIDR block`, { details: { entry } });
    if (!changed.some((known) => isSameEntry(known, entry))) changed.push(entry);
  }
  if (changed.length <= LONGEST_LIST) return changed;
  throw new LeafvaultError('ACCESS_LIST_FULL', `Adding to an access list was refused: it would hold ${changed.length} entries`, { details: { limit: LONGEST_LIST }, hint: 'Use CIDR blocks, or remove entries that are not needed' });
}

/** The list without one entry. @throws ACCESS_ENTRY_NOT_FOUND */
export function withoutEntry(list: readonly string[], entry: string): readonly string[] {
  const left = list.filter((known) => !isSameEntry(known, entry));
  if (left.length < list.length) return left;
  throw new LeafvaultError('ACCESS_ENTRY_NOT_FOUND', `Removing ${entry} from an access list failed: it is not in it`, { details: { entry } });
}

/** An address and its /32 (of IPv6 /128) are one. */
export function isSameEntry(a: string, b: string): boolean {
  return withBits(a) === withBits(b);
}

function withBits(entry: string): string {
  const [written = '', bits] = entry.trim().toLowerCase().split('/');
  const address = plainAddress(written);
  return `${address}/${bits ?? (address.includes(':') ? 128 : 32)}`;
}
