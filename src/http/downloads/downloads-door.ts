// Streams a snapshot's archive behind its signed address. Nobody logs in here: the path is the secret.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isLeafvaultError, type LeafvaultError } from '../../foundation/errors.ts';
import type { Downloads } from '../../services/contracts.ts';
import { archiveHeaders, sendArchive } from './send-archive.ts';

interface Params { readonly restoreId: string; readonly secret: string; readonly file: string }

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
      scope.get<{ Params: Params }>('/backup/restore/v2/pull/:restoreId/:secret/:file', { exposeHeadRoute: false }, async (request, reply) => {
        const archive = await resolveArchive(downloads, request.params);
        if (archive === null) return notFound(reply);
        await sendArchive(archive, request, reply, stallMs);
        return reply;
      });
      scope.head<{ Params: Params }>('/backup/restore/v2/pull/:restoreId/:secret/:file', async (request, reply) => {
        const archive = await resolveArchive(downloads, request.params);
        return archive === null ? notFound(reply) : reply.headers(archiveHeaders(archive.fileName)).send();
      });
    });
  };
}

async function resolveArchive(downloads: Downloads, params: Params): Promise<Awaited<ReturnType<Downloads['resolve']>> | null> {
  const archive = await downloads.resolve({ restoreId: params.restoreId, secret: params.secret });
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
