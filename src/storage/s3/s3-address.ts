// `s3://bucket/prefix?endpoint=…&region=…`: where the store is. Who may use it is found by the SDK's own chain (environment, profile,
// instance role); an address that holds a key is refused, because addresses are logged.
import { LeafvaultError } from '../../foundation/errors.ts';
import { redactUri } from '../../foundation/redact.ts';

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
  /** For messages. */
  readonly text: string;
}

const PARAMETERS = ['endpoint', 'region', 'pathStyle'];

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
  return {
    bucket: url.hostname, prefix, endpoint, region: url.searchParams.get('region'), text,
    // Most servers besides AWS have no names for buckets.
    pathStyle: pathStyle === null ? endpoint !== null : pathStyle === 'true',
  };
}
