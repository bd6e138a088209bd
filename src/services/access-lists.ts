// Changes of the addresses from which a credential may be used.
import { isAccessListEntry, isAddressAllowed, plainAddress } from '../foundation/access-list.ts';
import { LeafvaultError } from '../foundation/errors.ts';

const LONGEST_LIST = 200;
/** All that is in a list whose last entry was removed. It fits no address, where an empty list fits every one: removing never opens. */
const NOWHERE = 'nowhere';

/** The entries that somebody made. */
export function entriesIn(list: readonly string[]): readonly string[] {
  return list.filter((entry) => entry !== NOWHERE);
}

/** The list with more entries, each once. @throws ACCESS_ENTRY_INVALID, ACCESS_LIST_FULL */
export function changeAccessList(list: readonly string[], more: readonly string[]): readonly string[] {
  const changed = [...entriesIn(list)];
  for (const entry of more.map((each) => each.trim())) {
    if (!isAccessListEntry(entry)) throw new LeafvaultError('ACCESS_ENTRY_INVALID', `Adding ${JSON.stringify(entry)} to an access list failed: it is no address and no CIDR block`, { details: { entry } });
    if (!changed.some((known) => isSameEntry(known, entry))) changed.push(entry);
  }
  if (changed.length <= LONGEST_LIST) return changed;
  throw new LeafvaultError('ACCESS_LIST_FULL', `Adding to an access list was refused: it would hold ${changed.length} entries`, { details: { limit: LONGEST_LIST }, hint: 'Use CIDR blocks, or remove entries that are not needed' });
}

/**
 * The list without one entry.
 * @param caller the address of who asks, where the list is his own
 * @throws ACCESS_ENTRY_NOT_FOUND, ACCESS_ENTRY_OWN where he would lock himself out
 */
export function withoutEntry(list: readonly string[], entry: string, caller: string | null): readonly string[] {
  const entries = entriesIn(list);
  const left = entries.filter((known) => !isSameEntry(known, entry));
  const changed = left.length === 0 ? [NOWHERE] : left;
  if (left.length < entries.length) {
    if (caller === null || isAddressAllowed(changed, caller)) return changed;
    throw new LeafvaultError('ACCESS_ENTRY_OWN', `Removing ${entry} from an access list was refused: ${caller}, which asks, could not be used any more`, { details: { address: caller }, hint: 'Ask from another address of the list, or with another credential' });
  }
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
