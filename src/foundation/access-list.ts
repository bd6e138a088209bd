// IP access lists of credentials: addresses and CIDR blocks of both families.
import { BlockList, isIP } from 'node:net';

/** An IPv4 address that came over an IPv6 socket, as IPv4. Others as they are, without a zone. */
export function plainAddress(address: string): string {
  const bare = address.replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare);
  return mapped?.[1] ?? bare;
}

/**
 * True when the address is on the list. An empty list takes every address: a credential without a list is not
 * bound to places (written down as a deviation: Ops Manager refuses writes then).
 * An entry that cannot be read matches nothing.
 */
export function isAddressAllowed(accessList: readonly string[], address: string): boolean {
  if (accessList.length === 0) return true;
  const plain = plainAddress(address);
  const family = isIP(plain);
  if (family === 0) return false;
  const list = new BlockList();
  for (const entry of accessList) addEntry(list, entry);
  return list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
}

/** True for an address or a CIDR block that `isAddressAllowed` understands. */
export function isAccessListEntry(entry: string): boolean {
  return addEntry(new BlockList(), entry);
}

function addEntry(list: BlockList, entry: string): boolean {
  const [written = '', bits, ...rest] = entry.trim().split('/');
  const address = plainAddress(written);
  const family = isIP(address);
  const longest = family === 6 ? 128 : 32;
  // A mapped block (`::ffff:10.0.0.0/104`) counts its bits from the IPv6 start.
  const shift = address === written ? 0 : 96;
  const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) - shift : -1;
  if (family === 0 || rest.length > 0 || prefix < 0 || prefix > longest) return false;
  list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
  return true;
}
