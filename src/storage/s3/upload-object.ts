// One object into a bucket: in one request, or in parts where it is large. The server checks a CRC-32 of every request and says which it
// got; one that says nothing is asked for what it holds.
import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateMultipartUploadCommand, HeadObjectCommand, PutObjectCommand, UploadPartCommand, type CompletedPart, type S3Client,
} from '@aws-sdk/client-s3';
import type { LockMode } from '../storage.ts';
import { isMissing } from './s3-error.ts';

export interface UploadLimits {
  /** Objects with more go in parts. */
  readonly singleBytes: number;
  /** Of a part; at least 5 MiB for S3. */
  readonly partBytes: number;
}

export interface Upload {
  readonly Bucket: string;
  readonly Key: string;
  readonly parts: readonly Buffer[];
  /** Refused by the server (412) when the name is taken. */
  readonly ifNoneMatch: boolean;
  /** It is held until then. */
  readonly lock?: { readonly mode: LockMode; readonly until: Date };
  readonly limits?: UploadLimits;
  readonly signal?: AbortSignal;
}

// Packs have 16 MiB and slices no more, so parts are for what has not been thought of yet.
const LIMITS: UploadLimits = { singleBytes: 64 * 1024 * 1024, partBytes: 16 * 1024 * 1024 };

/** Resolves when the server acknowledged what was sent. @throws what the SDK throws, UploadAltered */
export async function uploadObject(client: S3Client, upload: Upload): Promise<void> {
  const { singleBytes, partBytes } = upload.limits ?? LIMITS;
  const body = upload.parts.length === 1 ? (upload.parts[0] as Buffer) : Buffer.concat(upload.parts);
  if (body.length <= singleBytes) await uploadWhole(client, upload, body);
  else await uploadInParts(client, upload, body, partBytes);
}

async function uploadWhole(client: S3Client, { Bucket, Key, ifNoneMatch, lock, signal }: Upload, Body: Buffer): Promise<void> {
  const ChecksumCRC32 = checksumOf(Body);
  const answer = await client.send(new PutObjectCommand({ Bucket, Key, Body, ContentLength: Body.length, ChecksumCRC32, ...held(lock), ...(lock === undefined ? {} : { ContentMD5: hash('md5', Body, 'base64') }), ...condition(ifNoneMatch) }), sendOptions(signal));
  await requireChecksum(client, { Bucket, Key }, { expected: ChecksumCRC32, told: answer.ChecksumCRC32, length: Body.length });
}

async function uploadInParts(client: S3Client, { Bucket, Key, ifNoneMatch, lock, signal }: Upload, body: Buffer, partBytes: number): Promise<void> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'CRC32', ...held(lock) }), sendOptions(signal));
  try {
    const Parts: CompletedPart[] = [];
    for (let at = 0; at < body.length; at += partBytes) {
      const Body = body.subarray(at, at + partBytes);
      const PartNumber = Parts.length + 1;
      const ChecksumCRC32 = checksumOf(Body);
      const { ETag, ChecksumCRC32: told } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ContentLength: Body.length, ChecksumCRC32 }), sendOptions(signal));
      if (told !== undefined && told !== ChecksumCRC32) throw altered(Key);
      Parts.push({ PartNumber, ETag, ChecksumCRC32 });
    }
    // Not every server that knows the condition for a put knows it here.
    if (await holds(client, { Bucket, Key })) throw taken(Key);
    await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...condition(ifNoneMatch) }), sendOptions(signal));
  } catch (error) {
    // Parts cost money until somebody says that nothing comes of them.
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(() => undefined);
    throw error;
  }
  await requireLength(client, { Bucket, Key }, body.length);
}

interface Place { readonly Bucket: string; readonly Key: string }

async function requireChecksum(client: S3Client, place: Place, { expected, told, length }: { readonly expected: string; readonly told: string | undefined; readonly length: number }): Promise<void> {
  if (told === undefined) await requireLength(client, place, length);
  else if (told !== expected) throw altered(place.Key);
}

async function requireLength(client: S3Client, place: Place, length: number): Promise<void> {
  const { ContentLength } = await client.send(new HeadObjectCommand(place));
  if (ContentLength !== length) throw altered(place.Key);
}

async function holds(client: S3Client, place: Place): Promise<boolean> {
  return client.send(new HeadObjectCommand(place)).then(() => true, (error: unknown) => {
    if (isMissing(error)) return false;
    throw error;
  });
}

function taken(Key: string): Error {
  return Object.assign(new Error(`${Key} is there already`), { name: 'PreconditionFailed' });
}

function condition(ifNoneMatch: boolean): { readonly IfNoneMatch?: '*' } {
  return ifNoneMatch ? { IfNoneMatch: '*' } : {};
}

/** S3 takes no lock without a checksum that is named; other servers want the MD5 that S3 wanted once. */
function held(lock: Upload['lock']): { readonly ObjectLockMode?: 'GOVERNANCE' | 'COMPLIANCE'; readonly ObjectLockRetainUntilDate?: Date; readonly ChecksumAlgorithm?: 'CRC32' } {
  return lock === undefined ? {} : { ObjectLockMode: lock.mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE', ObjectLockRetainUntilDate: lock.until, ChecksumAlgorithm: 'CRC32' };
}

function sendOptions(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

/** Base64 of the four bytes, as the header has it. */
function checksumOf(bytes: Buffer): string {
  const four = Buffer.alloc(4);
  four.writeUInt32BE(crc32(bytes));
  return four.toString('base64');
}

function altered(Key: string): Error {
  return Object.assign(new Error(`the server holds other bytes of ${Key} than were sent`), { name: 'UploadAltered' });
}
