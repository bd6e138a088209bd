// Adds to one chain. The store's refusal of a taken number is what keeps two writers apart (format document, section 17).
import { hash } from 'node:crypto';
import { isLeafvaultError } from '../../foundation/errors.ts';
import type { RepositoryContext } from '../context.ts';
import { isCount, isPosition, isReason, isRecord, MAX_SEQUENCE, MAX_SLICE_BYTES, MAX_SLICE_HEADER_BYTES } from '../format/chain-fields.ts';
import { sliceName } from '../format/names.ts';
import { digestOf, openNumberedObject, sealClose, sealSlice, type OpenedClose } from '../format/numbered-object.ts';
import { readObject, readObjectIfAny } from '../read-object.ts';
import { asPartOfChain, endedChain, invalidChain, takenSequence } from './chain-errors.ts';
import type { ChainEnd, ChainHead, ChainWriter, NewSlice, Slice } from './chains.ts';
import { putEnd } from './put-end.ts';
import { readEnd } from './read-chain-objects.ts';
import { packSliceData } from './slice-data.ts';
import type { ChainLink } from './walk-chain.ts';

export type WriterContext = Pick<RepositoryContext, 'storage' | 'keys' | 'clock'>;

export interface WriterStart {
  readonly head: ChainHead;
  readonly last: Slice | null;
  /** What the next object follows. */
  readonly link: ChainLink;
  /** Throws once the repository is closed. */
  readonly assertOpen: () => void;
}

/** A try whose answer was an error: it may be in the store, so the same slice goes there again with the same bytes or not at all. */
interface OpenTry {
  readonly asked: string;
  readonly slice: Slice;
  readonly bytes: Buffer;
}

export function openChainWriter(context: WriterContext, start: WriterStart): ChainWriter {
  const { keys, clock } = context;
  const { head, assertOpen } = start;
  let { last, link } = start;
  let openTry: OpenTry | null = null;
  let ended: ChainEnd | null = null;

  const assertGoesOn = async (): Promise<void> => {
    assertOpen();
    ended ??= (await readEnd(context, head.id))?.end ?? null;
    if (ended !== null) throw endedChain(head.id, ended.reason);
  };

  const makeSlice = async ({ to, records, body }: NewSlice, raw: Uint8Array): Promise<Omit<OpenTry, 'asked'>> => {
    const fields = {
      chainId: head.id, sequence: link.sequence + 1, from: link.at, to, records, rawBytes: raw.length, previous: link.digest,
      createdAt: clock.now().toISOString(), body: jsonOf(body),
    };
    const bytes = sealSlice(keys, fields, await packSliceData(raw));
    return { bytes, slice: { ...fields, storedBytes: bytes.length, digest: digestOf(bytes) } };
  };

  return {
    head,
    get last() {
      return last;
    },
    async append(given) {
      assertStorable(given, link);
      await assertGoesOn();
      const raw = given.raw instanceof Uint8Array ? given.raw : Buffer.concat(given.raw);
      const { slice, bytes } = openTry !== null && openTry.asked === askedOf(given, raw) ? openTry : await makeSlice(given, raw);
      try {
        await putNumbered(context, slice.chainId, slice.sequence, bytes);
      } catch (cause) {
        if (isLeafvaultError(cause) && cause.code.startsWith('STORAGE_')) openTry = { asked: askedOf(given, raw), slice, bytes };
        throw cause;
      }
      openTry = null;
      last = slice;
      link = { chainId: head.id, sequence: slice.sequence, digest: slice.digest, at: slice.to };
      return slice;
    },
    async end({ reason, body = {} }) {
      assertOpen();
      if (!isReason(reason)) throw invalidChain(`the end of the chain ${head.id}`, `${JSON.stringify(reason)} is no reason`, 'A reason is up to 64 capitals, digits and underscores');
      ended ??= (await readEnd(context, head.id))?.end ?? null;
      if (ended !== null) return ended;
      const sequence = link.sequence + 1;
      const own: OpenedClose = { sequence, previous: link.digest, end: { createdAt: clock.now().toISOString(), reason, at: link.at, body: jsonOf(body) } };
      const close = (await putClose(context, head.id, own)) ?? own;
      ended = (await putEnd(context, head.id, close)).end;
      return ended;
    },
  };
}

/** @throws REPOSITORY_CHAIN_TAKEN, REPOSITORY_CHAIN_ENDED where other bytes hold the number */
async function putNumbered(context: WriterContext, chainId: string, sequence: number, bytes: Buffer): Promise<void> {
  const name = sliceName(chainId, sequence);
  try {
    await context.storage.put(name, bytes);
  } catch (cause) {
    if (!isLeafvaultError(cause, 'STORAGE_OBJECT_EXISTS')) throw cause;
    const there = await readObjectIfAny(context.storage, name);
    if (there?.equals(bytes) === true) return;
    const object = there && (await asPartOfChain(chainId, sequence, name, () => openNumberedObject(context.keys, chainId, sequence, there)));
    throw object === null || 'slice' in object ? takenSequence(chainId, sequence) : endedChain(chainId, object.end.reason);
  }
}

/** @returns the close that was there before, if one was @throws REPOSITORY_CHAIN_TAKEN where a slice holds the number: the end has to come behind it */
async function putClose(context: WriterContext, chainId: string, close: OpenedClose): Promise<OpenedClose | null> {
  const { sequence } = close;
  try {
    await putNumbered(context, chainId, sequence, sealClose(context.keys, chainId, close));
    return null;
  } catch (cause) {
    if (!isLeafvaultError(cause, 'REPOSITORY_CHAIN_ENDED')) throw cause;
    const name = sliceName(chainId, sequence);
    const object = openNumberedObject(context.keys, chainId, sequence, await readObject(context.storage, name));
    if ('slice' in object) throw cause;
    return object;
  }
}

function assertStorable({ to, records, raw, body }: NewSlice, link: ChainLink): void {
  const refuse = (reason: string, hint: string): Error => invalidChain(`number ${link.sequence + 1} of the chain ${link.chainId}`, reason, hint);
  if (!isPosition(to) || to <= link.at) throw refuse(`it reaches to ${JSON.stringify(to)}, which does not lie behind ${link.at}`, 'A position is 16 hex digits, and those of a chain rise');
  if (!isCount(records)) throw refuse(`${records} is no number of records`, 'Count whole records');
  const rawBytes = raw instanceof Uint8Array ? raw.length : raw.reduce((sum, part) => sum + part.length, 0);
  if (rawBytes > MAX_SLICE_BYTES) throw refuse(`it has ${rawBytes} bytes, more than 64 MiB`, 'Cut it into several slices');
  // Half of the header's room: the other fields need some hundred bytes.
  if (!isRecord(body) || Buffer.byteLength(JSON.stringify(body)) > MAX_SLICE_HEADER_BYTES / 2) throw refuse('its body is no JSON object, or has more than 512 KiB', 'Put what is large into the raw bytes');
  if (link.sequence >= MAX_SEQUENCE) throw refuse('the numbers of the chain are used up', 'End it and begin a new one');
}

/** The same for the same slice. Made when a try failed and when the next comes: raw bytes are the caller's again in between. */
function askedOf({ to, records, body }: NewSlice, raw: Uint8Array): string {
  return `${to} ${records} ${hash('sha256', raw, 'hex')} ${JSON.stringify(body)}`;
}

/** As a reader will see it. */
function jsonOf(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(body)) as Readonly<Record<string, unknown>>;
}
