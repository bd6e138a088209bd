// One transfer: waits for the first byte, streams with back-pressure, and ends short only by cutting the
// connection, so that no client takes half an archive for a whole one.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Downloads } from '../../services/contracts.ts';

type Archive = Awaited<ReturnType<Downloads['resolve']>>;

/** Resolves when the transfer is over, however it ended. @throws what `open` fails with before the first byte */
export async function sendArchive(archive: Archive, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const clientGone = new AbortController();
  reply.raw.once('close', () => clientGone.abort(new Error('The client closed the connection')));
  const source = archive.open(clientGone.signal);
  // Every failure is met by `firstByte` or `pipeline`; between the two nobody else listens.
  source.on('error', () => undefined);
  try {
    await firstByte(source);
  } catch (error) {
    if (clientGone.signal.aborted) return;
    throw error;
  }
  reply.hijack();
  reply.raw.writeHead(200, { ...plainHeaders(reply), ...archiveHeaders(archive.fileName) });
  const hash = createHash('sha1');
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    await pipeline(source, tap, reply.raw);
  } catch (error) {
    cut(request, reply, error);
    return;
  }
  await archive.completed(hash.digest('hex')).catch((error: unknown) => {
    // The bytes have left: the client has its archive. Only the count is missing, and the log says so.
    request.log.error({ err: error, door: 'downloads' }, 'download was not counted');
  });
}

/** Of every transfer; also of HEAD, which costs no download. */
export function archiveHeaders(fileName: string): Record<string, string> {
  return {
    'content-type': 'application/gzip',
    'content-disposition': `attachment; filename="${fileName}"`,
    'cache-control': 'no-store',
    'accept-ranges': 'none',
  };
}

/** A reset instead of a clean end: also an HTTP/1.0 client, to which an end of data is all there is, sees a failure. */
function cut(request: FastifyRequest, reply: FastifyReply, error: unknown): void {
  const left = request.raw.socket.destroyed || reply.raw.socket === null;
  request.log[left ? 'info' : 'error']({ err: error, door: 'downloads' }, left ? 'download was left by the client' : 'download broke off');
  request.raw.socket.resetAndDestroy();
}

async function firstByte(source: Readable): Promise<void> {
  if (source.readableLength > 0 || source.readableEnded) return;
  const abort = new AbortController();
  try {
    // `once` rejects when the stream fails first; `close` without `readable` is a failure that told nothing.
    await Promise.race([
      once(source, 'readable', { signal: abort.signal }),
      once(source, 'close', { signal: abort.signal }).then(() => { throw new Error('The archive stream closed before its first byte'); }),
    ]);
  } finally {
    abort.abort();
  }
}

function plainHeaders(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
}
