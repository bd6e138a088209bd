// Versions of Atlas v2: each operation has its own dates; a client names a date and gets the newest not later.
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../../../foundation/clock.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import type { AnswerMark, Operation } from '../../wire/mms-routes.ts';
import { httpDay } from '../../wire/time-text.ts';

export interface Version {
  readonly date: string;
  /** Day of the version, or of the resource, that replaced this one. */
  readonly deprecatedSince?: string;
  /** Day on which the vendor turns it off. Leafvault goes on answering. */
  readonly sunset?: string;
}

/** Oldest first. */
export type Versions = readonly [Version, ...Version[]];

/** A line of the facade's table. */
export type V2Operation = Operation & { readonly versions: Versions };

export const CLOUD_BACKUP: Versions = [{ date: '2023-01-01' }];
export const SCHEDULE: Versions = [{ date: '2023-01-01', deprecatedSince: '2024-08-05', sunset: '2027-07-01' }, { date: '2024-08-05' }];
export const COMPLIANCE: Versions = [{ date: '2023-01-01', deprecatedSince: '2023-10-01', sunset: '2027-07-01' }, { date: '2023-10-01' }];
export const COMPLIANCE_REMOVAL: Versions = [{ date: '2024-11-13' }];
export const EXPORT_BUCKETS: Versions = [{ date: '2023-01-01', deprecatedSince: '2024-05-30', sunset: '2027-07-01' }, { date: '2024-05-30' }];
export const EXPORT_BUCKET_CHANGE: Versions = [{ date: '2024-05-30' }];
export const COLLECTION_RESTORES: Versions = [{ date: '2025-03-12' }];
export const GROUPS: Versions = [{ date: '2023-01-01' }];
/** Replaced by the flex endpoints. */
export const TENANT: Versions = [{ date: '2023-01-01', deprecatedSince: '2024-11-13', sunset: '2026-01-22' }];
export const CLUSTERS: Versions = [
  { date: '2023-01-01', deprecatedSince: '2023-02-01', sunset: '2027-07-01' },
  { date: '2023-02-01', deprecatedSince: '2024-08-05', sunset: '2027-07-01' },
  { date: '2024-08-05' },
];
/** Replaced by the flex endpoints, too. */
export const SERVERLESS_BACKUP: Versions = TENANT;
export const SERVERLESS: Versions = [{ date: '2023-01-01', deprecatedSince: '2024-11-13', sunset: '2027-01-18' }];
/** Since this day clusters can be made with another default; what is answered is the same. */
export const CLUSTER_WRITES: Versions = [
  { date: '2023-01-01', deprecatedSince: '2023-02-01', sunset: '2027-07-01' },
  { date: '2023-02-01', deprecatedSince: '2024-08-05', sunset: '2027-07-01' },
  { date: '2024-08-05', deprecatedSince: '2024-10-23', sunset: '2027-03-01' },
  { date: '2024-10-23' },
];
export const CLUSTER_DELETE: Versions = [{ date: '2023-01-01', deprecatedSince: '2023-02-01', sunset: '2027-07-01' }, { date: '2023-02-01' }];
export const SERVICE_ACCOUNTS: Versions = [{ date: '2024-08-05' }];
export const RATE_LIMITS: Versions = [{ date: '2025-03-12' }];
export const PROCESS_ARGS: Versions = [{ date: '2023-01-01', deprecatedSince: '2024-08-05' }, { date: '2024-08-05' }];
export const FLEX: Versions = [{ date: '2024-11-13' }];

const VERSIONED = /application\/vnd\.atlas\.(\d{4}-\d{2}-\d{2})\+json/gi;

/**
 * The version that answers a request, and what marks it.
 * @throws VERSION_MISSING, VERSION_TOO_EARLY, VERSION_IN_FUTURE
 */
export function negotiateVersion(versions: Versions, request: Pick<FastifyRequest, 'headers'>, clock: Clock): AnswerMark {
  const asked = newestAsked(request.headers.accept);
  if (asked === null) throw new LeafvaultError('VERSION_MISSING', 'Choosing a version failed: Accept names no application/vnd.atlas.<date>+json');
  if (asked > clock.now().toISOString().slice(0, 10)) {
    throw new LeafvaultError('VERSION_IN_FUTURE', `Choosing a version failed: ${asked} lies in the future`, { details: { date: asked } });
  }
  const version = versions.findLast(({ date }) => date <= asked);
  if (version === undefined) {
    throw new LeafvaultError('VERSION_TOO_EARLY', `Choosing a version failed: there is none as early as ${asked}`, { details: { date: asked } });
  }
  return { version: version.date, contentType: `application/vnd.atlas.${version.date}+json;charset=utf-8`, headers: sunsetHeaders(version) };
}

function newestAsked(accept: string | undefined): string | null {
  const dates = [...(accept ?? '').matchAll(VERSIONED)].map((match) => match[1] ?? '');
  return dates.filter(isDay).sort().at(-1) ?? null;
}

/** A 13th month or a 30th of February names no version. */
function isDay(date: string): boolean {
  const time = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}

function sunsetHeaders({ deprecatedSince, sunset }: Version): Readonly<Record<string, string>> {
  return {
    ...(deprecatedSince === undefined ? {} : { deprecation: httpDay(deprecatedSince) }),
    ...(sunset === undefined ? {} : { sunset: httpDay(sunset) }),
  };
}
