// Which version of an operation answers a request to Atlas v2.
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../../../foundation/clock.ts';
import { LeafvaultError } from '../../../foundation/errors.ts';
import type { Version, Versions } from '../../wire/atlas/operations/versions.ts';
import type { AnswerMark } from '../../wire/mms-routes.ts';
import { httpDay } from '../../wire/time-text.ts';

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
