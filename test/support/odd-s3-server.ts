// A server on loopback that answers as a test says, and a store of S3 that talks to it: for servers that misbehave.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { Storage } from '../../src/storage/index.ts';
import { parseS3Address } from '../../src/storage/s3/s3-address.ts';
import { createS3Storage } from '../../src/storage/s3/s3-storage.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** @param answer called as soon as the headers are there; nothing of a body was read. @param options `settings`: of the store, as `&objectLock=governance:10` */
export async function withOddServer(
  answer: Answer, use: (storage: Storage) => Promise<void>, { requestHandler, settings = '' }: Pick<S3ClientConfig, 'requestHandler'> & { readonly settings?: string } = {},
): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const address = parseS3Address(`s3://bucket?endpoint=http://127.0.0.1:${port}&region=us-east-1${settings}`);
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`, forcePathStyle: true, region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' }, maxAttempts: 1,
    ...(requestHandler === undefined ? {} : { requestHandler }),
  });
  try {
    await use(createS3Storage({ client, address }));
  } finally {
    client.destroy();
    server.closeAllConnections();
    server.close();
  }
}

/** Answers once the body was read. */
export function afterBody(answer: Answer): Answer {
  return (request, response) => void request.resume().on('end', () => answer(request, response));
}

/** An error of S3. */
export function says(status: number, code: string): Answer {
  return (_request, response) => void response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code><Message>so it is</Message></Error>`);
}
