// Streams a snapshot's archive behind its signed address. Nobody logs in here: the secret stands in the path, or is shown as a bearer token.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isLeafvaultError, type LeafvaultError } from '../../foundation/errors.ts';
import type { Downloads } from '../../services/contracts.ts';
import { archiveHeaders, sendArchive } from './send-archive.ts';

interface Params { readonly restoreId: string; readonly file: string; readonly secret?: string }

/** With the secret in the path, and with it as a bearer token. */
const PATHS = ['/backup/restore/v2/pull/:restoreId/:secret/:file', '/backup/restore/v3/pull/:restoreId/:file'];

/** What is told to whoever holds an address that no longer serves; an altered one is told nothing. */
const GONE: Readonly<Record<string, (error: LeafvaultError) => string>> = {
  DOWNLOAD_EXPIRED: () => 'This download address has expired. Ask for a new one with a new restore job.',
  DOWNLOAD_EXHAUSTED: () => 'This archive was downloaded as often as the restore job allowed. Ask for a new address with a new restore job.',
  SNAPSHOT_NOT_FOUND: () => 'The snapshot behind this download address was deleted.',
};

/** A plugin for `buildServer`. Ranges are not promised: every transfer starts at the first byte. */
export function downloadsDoor(downloads: Downloads, { stallMs }: { readonly stallMs?: number } = {}): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    await app.register(async (scope) => {
      scope.setErrorHandler((error, request, reply) => { refuseDownload(error, request, reply); });
      for (const path of PATHS) {
        scope.get<{ Params: Params }>(path, { exposeHeadRoute: false }, async (request, reply) => {
          const archive = await resolveArchive(downloads, request);
          if (archive === null) return notFound(reply);
          await sendArchive(archive, request, reply, stallMs);
          return reply;
        });
        scope.head<{ Params: Params }>(path, async (request, reply) => {
          const archive = await resolveArchive(downloads, request);
          return archive === null ? notFound(reply) : reply.headers(archiveHeaders(archive.fileName)).send();
        });
      }
    });
  };
}

/** Who shows no token is told as little as who shows a wrong one. */
async function resolveArchive(downloads: Downloads, { params, headers }: FastifyRequest<{ Params: Params }>): Promise<Awaited<ReturnType<Downloads['resolve']>> | null> {
  const secret = params.secret ?? /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  const archive = await downloads.resolve({ restoreId: params.restoreId, secret });
  return archive.fileName === params.file ? archive : null;
}

function refuseDownload(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const gone = isLeafvaultError(error) ? GONE[error.code] : undefined;
  if (isLeafvaultError(error, 'DOWNLOAD_NOT_FOUND')) {
    notFound(reply);
  } else if (isLeafvaultError(error) && gone !== undefined) {
    void reply.code(410).type('text/plain; charset=utf-8').send(`${gone(error)}\n`);
  } else {
    request.log.error({ err: error, door: 'downloads' }, 'download failed before its first byte');
    void reply.code(500).type('text/plain; charset=utf-8').send(`The archive cannot be read now. Request ${request.id} in the log says why.\n`);
  }
}

function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).type('text/plain; charset=utf-8').send('Not found\n');
}
