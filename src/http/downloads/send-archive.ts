// One transfer: waits for the first byte, streams with back-pressure, and ends short only by cutting the
// connection, so that no client takes half an archive for a whole one.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { throwIfAborted } from '../../foundation/abort.ts';
import type { Downloads } from '../../services/contracts.ts';

type Archive = Awaited<ReturnType<Downloads['resolve']>>;

/** A client that takes nothing for so long is cut: a transfer holds the snapshot's data until its end. */
export const STALL_MS = 10 * 60_000;

/**
 * Resolves when the transfer is over, however it ended. @param stallMs see STALL_MS
 * @throws what the archive fails with before its first byte
 */
export async function sendArchive(archive: Archive, request: FastifyRequest, reply: FastifyReply, stallMs = STALL_MS): Promise<void> {
  const clientGone = new AbortController();
  reply.raw.once('close', () => clientGone.abort(new Error('The client closed the connection')));
  const source = archive.open(clientGone.signal);
  // A failure reaches whoever reads next; between two reads nobody else listens.
  source.on('error', () => undefined);
  clientGone.signal.addEventListener('abort', () => source.destroy(clientGone.signal.reason as Error));
  try {
    await firstByte(source);
  } catch (error) {
    if (clientGone.signal.aborted) return;
    throw error;
  }
  reply.hijack();
  reply.raw.writeHead(200, { ...plainHeaders(reply), ...archiveHeaders(archive.fileName) });
  try {
    const sha1 = await transfer(source, reply.raw, { signal: clientGone.signal, stallMs });
    await count(archive, sha1, request);
  } catch (error) {
    cut(request, error, clientGone.signal.aborted);
  }
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

/** By hand instead of `pipeline`, which would end the socket in good order after a failure. */
async function transfer(source: Readable, response: ServerResponse, { signal, stallMs }: { readonly signal: AbortSignal; readonly stallMs: number }): Promise<string> {
  const hash = createHash('sha1');
  for await (const chunk of source as AsyncIterable<Buffer>) {
    throwIfAborted(signal);
    hash.update(chunk);
    if (!response.write(chunk)) await taken(response, 'drain', { signal, stallMs });
  }
  throwIfAborted(signal);
  response.end();
  await taken(response, 'finish', { signal, stallMs });
  return hash.digest('hex');
}

async function taken(response: ServerResponse, event: 'drain' | 'finish', { signal, stallMs }: { readonly signal: AbortSignal; readonly stallMs: number }): Promise<void> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new Error(`The client took nothing for ${stallMs} ms`)), stallMs);
  try {
    await once(response, event, { signal: AbortSignal.any([signal, stalled.signal]) });
  } finally {
    clearTimeout(timer);
  }
}

async function count(archive: Archive, sha1: string, request: FastifyRequest): Promise<void> {
  await archive.completed(sha1).catch((error: unknown) => {
    // The bytes have left: the client has its archive. Only the count is missing, and the log says so.
    request.log.error({ err: error, door: 'downloads' }, 'download was not counted');
  });
}

/** A reset instead of a clean end: also an HTTP/1.0 client, to which an end of data is all there is, sees a failure. */
function cut(request: FastifyRequest, error: unknown, left: boolean): void {
  if (left) request.log.info({ door: 'downloads' }, 'download was left by the client');
  else request.log.error({ err: error, door: 'downloads' }, 'download broke off');
  request.raw.socket.resetAndDestroy();
}

async function firstByte(source: Readable): Promise<void> {
  if (source.errored !== null) throw source.errored;
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
