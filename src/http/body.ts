// Request bodies: 1 MiB at most, empty or JSON. Runs after credentials were proven.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RequestFailure } from './failures.ts';

/** Room for any request of the APIs; data never comes in this way. */
export const BODY_LIMIT_BYTES = 1024 * 1024;
/** Objects and lists within each other. Bodies of the APIs need about ten; what reads them may go down by calls. */
const BODY_DEPTH = 64;

/** Replaces Fastify's own parsers. `acceptsJson` gets the lower-case type without parameters, '' when none was sent. */
export function parseBodies(scope: FastifyInstance, acceptsJson: (contentType: string) => boolean): void {
  const parseJson = scope.getDefaultJsonParser('error', 'error');
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES }, (request, body: Buffer, done) => {
    if (body.length === 0) return done(null, undefined);
    const contentType = contentTypeOf(request);
    if (!acceptsJson(contentType)) return done(new RequestFailure({ kind: 'contentTypeRefused', contentType }));
    const text = decodeUtf8(body);
    if (text === null) return done(notJson('it is not UTF-8'));
    if (text.trim() === '') return done(null, undefined);
    return parseJson(request, text, (error, value) => {
      if (error !== null) return done(notJson('it cannot be parsed'));
      return isDeeperThan(value, BODY_DEPTH) ? done(notJson(`it is nested deeper than ${BODY_DEPTH}`)) : done(null, value);
    });
  });
}

/** Lower case, without parameters; '' when none was sent. */
export function contentTypeOf(request: Pick<FastifyRequest, 'headers'>): string {
  return (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function notJson(detail: string): RequestFailure {
  return new RequestFailure({ kind: 'bodyNotJson', detail });
}

/** Level by level, so that no depth is too much for it. */
function isDeeperThan(value: unknown, limit: number): boolean {
  let level = [value].filter(isNested);
  for (let depth = 0; depth < limit && level.length > 0; depth += 1) {
    level = level.flatMap((each) => (Object.values(each) as unknown[]).filter(isNested));
  }
  return level.length > 0;
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function decodeUtf8(body: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    // Only invalid UTF-8 gets here: told to the client as such.
    return null;
  }
}
