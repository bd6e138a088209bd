// Reads and rewrites connection strings by their parts, so that credentials stay exactly as they were written.
import { LeafvaultError } from '../../foundation/errors.ts';

interface Parts {
  readonly scheme: string;
  readonly credentials: string | null;
  readonly hosts: readonly string[];
  readonly database: string;
  readonly options: readonly (readonly [string, string])[];
}

/** Options that speak of the whole deployment and make no sense for one member. */
const DEPLOYMENT_OPTIONS = new Set([
  'replicaset', 'directconnection', 'loadbalanced', 'readpreference', 'readpreferencetags', 'maxstalenessseconds', 'srvmaxhosts', 'srvservicename',
]);

/** Host names (with ports where given) of a connection string; no secret in it. */
export function hostsOfUri(uri: string): readonly string[] {
  return parse(uri)?.hosts ?? [];
}

/** The user of a connection string, decoded, or null. */
export function userOfUri(uri: string): string | null {
  const credentials = parse(uri)?.credentials ?? null;
  return credentials === null ? null : safeDecode(credentials.split(':')[0] ?? '');
}

/** True when the connection string asks for exactly the server that it names. */
export function isDirectUri(uri: string): boolean {
  return parse(uri)?.options.some(([name, value]) => name.toLowerCase() === 'directconnection' && value === 'true') ?? false;
}

/**
 * The same connection string for one member only: credentials, TLS and time-outs stay.
 * @param member `host:port`
 * @param resolved what a `mongodb+srv` lookup added, which the rewritten string would lose
 * @throws LeafvaultError SOURCE_URI_INVALID
 */
export function directUri(uri: string, member: string, resolved: { readonly tls: boolean; readonly authSource: string | null }): string {
  const parts = parse(uri);
  if (parts === null) throw new LeafvaultError('SOURCE_URI_INVALID', 'Reading the connection string failed: it does not begin with mongodb:// or mongodb+srv://');
  const options = parts.options.filter(([name]) => !DEPLOYMENT_OPTIONS.has(name.toLowerCase())).map(([name, value]) => `${name}=${value}`);
  const has = (wanted: readonly string[]): boolean => parts.options.some(([name]) => wanted.includes(name.toLowerCase()));
  options.push('directConnection=true');
  if (!has(['tls', 'ssl']) && resolved.tls) options.push('tls=true');
  if (!has(['authsource']) && resolved.authSource !== null && parts.credentials !== null) options.push(`authSource=${encodeURIComponent(resolved.authSource)}`);
  const login = parts.credentials === null ? '' : `${parts.credentials}@`;
  return `mongodb://${login}${member}/${parts.database}?${options.join('&')}`;
}

function parse(uri: string): Parts | null {
  const match = /^(mongodb(?:\+srv)?):\/\/(?:([^@/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/is.exec(uri.trim());
  if (match === null) return null;
  const [, scheme = '', credentials, hosts = '', database = '', query = ''] = match;
  const options = query.split('&').filter((option) => option !== '').map((option): readonly [string, string] => {
    const at = option.indexOf('=');
    return at < 0 ? [option, ''] : [option.slice(0, at), option.slice(at + 1)];
  });
  return { scheme, credentials: credentials ?? null, hosts: hosts.split(',').map(safeDecode), database, options };
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Valid fallback: used in messages only, the driver judges the string itself.
    return text;
  }
}
