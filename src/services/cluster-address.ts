// The hosts of a connection string, without opening a connection and without ever showing its password.
import { LeafvaultError } from '../foundation/errors.ts';

const URI = /^mongodb(\+srv)?:\/\/(?:[^@/?#]*@)?([^/?#]+)(?:[/?#].*)?$/s;

/**
 * `host:port` each (27017 where none is given; a `mongodb+srv` name as it stands).
 * @throws DECLARATION_INVALID without the string, which may hold a password
 */
export function hostsOf(uri: string, path: string): readonly string[] {
  const match = URI.exec(uri.trim());
  const hosts = match?.[2]?.split(',').map((host) => host.trim()) ?? [];
  if (match === null || hosts.some((host) => host === '' || host.includes('@'))) {
    throw new LeafvaultError('DECLARATION_INVALID', `Reading ${path} failed: it is no MongoDB connection string`, {
      details: { path },
      hint: 'Write mongodb://user:password@host:27017,host2:27017/?replicaSet=rs0 and percent-encode special characters of the password',
    });
  }
  return match[1] === '+srv' ? hosts : hosts.map((host) => (/(:\d+|\.sock)$/i.test(host) ? host : `${host}:27017`));
}

const OF_THIS_MACHINE: ReadonlySet<string> = new Set(['tlscafile', 'tlscertificatekeyfile', 'tlscrlfile', 'sslcafile', 'sslcertificatekeyfile', 'sslcrlfile', 'proxyhost', 'authmechanismproperties']);
const BY_SECRET: ReadonlySet<string> = new Set(['default', 'plain', 'scram-sha-1', 'scram-sha-256']);

/**
 * The first option that makes the driver read files of this machine, or show who this machine is (a cloud's identity, Kerberos, a token), to whatever
 * server the string names: nobody may ask for that who can't log in here. @returns its name, null without one
 */
export function optionOfThisMachine(uri: string): string | null {
  const [, query = ''] = /\?(.*)$/s.exec(uri.trim()) ?? [];
  for (const [name, value] of new URLSearchParams(query)) {
    if (OF_THIS_MACHINE.has(name.toLowerCase())) return name;
    if (name.toLowerCase() === 'authmechanism' && !BY_SECRET.has(value.toLowerCase())) return `${name}=${value}`;
  }
  return null;
}

/** How a connection string logs in (null: not at all), and whether by TLS; nothing of it that is secret. */
export function loginOf(uri: string): { readonly mechanism: string | null; readonly tls: boolean } {
  const [, srv, credentials] = /^mongodb(\+srv)?:\/\/(?:([^@/?#]*)@)?/s.exec(uri.trim()) ?? [];
  const [, query = ''] = /\?(.*)$/s.exec(uri.trim()) ?? [];
  const options = new Map([...new URLSearchParams(query)].map(([name, value]) => [name.toLowerCase(), value]));
  const mechanism = options.get('authmechanism')?.toUpperCase() ?? (credentials === undefined ? null : 'SCRAM');
  const tls = options.get('tls') ?? options.get('ssl');
  return { mechanism, tls: tls === undefined ? srv !== undefined : tls === 'true' };
}
