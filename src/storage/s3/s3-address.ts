// `s3://bucket/prefix?endpoint=…&region=…`: where the store is. Who may use it is found by the SDK's own chain (environment, profile,
// instance role); an address that holds a key is refused, because addresses are logged.
import { LeafvaultError } from '../../foundation/errors.ts';
import { redactUri } from '../../foundation/redact.ts';
import type { LockTerms } from '../storage.ts';

export interface S3Address {
  readonly bucket: string;
  /** Without a slash at either end; empty: the whole bucket. */
  readonly prefix: string;
  /** Null: that of AWS for the region. */
  readonly endpoint: string | null;
  /** Null: as the SDK finds it. */
  readonly region: string | null;
  /** `host/bucket/key` instead of `bucket.host/key`. */
  readonly pathStyle: boolean;
  /** Of the SDK's shared files, whose credentials are used; null: as the SDK finds them. */
  readonly profile: string | null;
  /** How long new objects are held, and against whom; null: not at all. */
  readonly objectLock: LockTerms | null;
  /** The bucket as it was then; null: as it is. */
  readonly at: Date | null;
  /** For messages. */
  readonly text: string;
}

const PARAMETERS = ['endpoint', 'region', 'pathStyle', 'profile', 'objectLock', 'at'];
/** Ten years: beyond that it is a slip of the finger that nobody can take back. */
const MOST_DAYS = 3_650;

/** @throws STORAGE_ADDRESS_INVALID */
export function parseS3Address(address: string): S3Address {
  const text = redactUri(address);
  const refuse = (why: string, hint: string = 'Write s3://bucket/prefix?endpoint=https://host&region=eu-central-1'): never => {
    throw new LeafvaultError('STORAGE_ADDRESS_INVALID', `Opening the store ${JSON.stringify(text)} failed: ${why}`, { hint });
  };
  const url = URL.canParse(address) ? new URL(address) : refuse('it is no address');
  if (url.username !== '' || url.password !== '') refuse('it holds credentials', 'Give them by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or an instance role; addresses are logged');
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.hostname) || url.port !== '') refuse('its bucket has no name that a bucket can have');
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
  if (prefix !== '' && !/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(prefix)) refuse('its prefix may hold letters, digits and . _ - / only');
  for (const name of url.searchParams.keys()) if (!PARAMETERS.includes(name)) refuse(`the parameter ${name} is not known`, `Known are ${PARAMETERS.join(', ')}`);
  const endpoint = url.searchParams.get('endpoint');
  if (endpoint?.includes('@') === true) throw new LeafvaultError('STORAGE_ADDRESS_INVALID', 'Opening an S3 store failed: its endpoint holds credentials', { hint: 'Give them by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or an instance role; addresses are logged' });
  if (url.hash !== '') refuse('it has a part behind #');
  if (endpoint !== null && !/^https?:\/\/[^/?#]+\/?$/.test(endpoint)) refuse('its endpoint is no http or https origin');
  const pathStyle = url.searchParams.get('pathStyle');
  if (pathStyle !== null && pathStyle !== 'true' && pathStyle !== 'false') refuse('pathStyle must be true or false');
  const profile = url.searchParams.get('profile');
  if (profile !== null && !/^[A-Za-z0-9_.@-]{1,128}$/.test(profile)) refuse('its profile may hold letters, digits and _ . @ - only');
  const locked = url.searchParams.get('objectLock');
  const objectLock = locked === null ? null : parseLock(locked);
  if (locked !== null && objectLock === null) refuse(`objectLock must be governance or compliance with days from 1 to ${MOST_DAYS}`, 'Write objectLock=compliance:30');
  const then = url.searchParams.get('at');
  const at = then === null ? null : new Date(then);
  // Without a zone it would mean another instant on another machine.
  if (then !== null && !/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z$/.test(then)) refuse('at must be an instant', 'Write at=2026-01-31T12:00:00Z');
  if (at !== null && Number.isNaN(at.getTime())) refuse('at must be an instant', 'Write at=2026-01-31T12:00:00Z');
  return {
    bucket: url.hostname, prefix, endpoint, region: url.searchParams.get('region'), profile, objectLock, at, text,
    // Most servers besides AWS have no names for buckets.
    pathStyle: pathStyle === null ? endpoint !== null : pathStyle === 'true',
  };
}

function parseLock(text: string): LockTerms | null {
  const [, mode, digits] = /^(governance|compliance):(\d{1,4})$/.exec(text) ?? [];
  const days = Number(digits);
  return mode === undefined || days < 1 || days > MOST_DAYS ? null : { mode: mode as LockTerms['mode'], days };
}
