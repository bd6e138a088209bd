// Capture: a snapshot of a living MongoDB that stands for exactly one instant. docs/design/consistency.md says why.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { NamespaceSelection } from '../../domain/namespace-selection.ts';
import { sleep, throwIfAborted } from '../../foundation/abort.ts';
import { describeError, isLeafvaultError } from '../../foundation/errors.ts';
import type { CaptureOptions, CaptureResult, CaptureSnapshot, SnapshotBody } from '../contracts.ts';
import { createKernel } from '../bson/index.ts';
import type { CaptureContext } from './capture-context.ts';
import { captureReplicaSet, type AttemptInput, type AttemptResult } from './capture-replica-set.ts';
import { captureStandalone } from './capture-standalone.ts';
import { RETRIED_CODES, UNREACHED_CODES } from './errors.ts';
import { readPrevious } from './previous-snapshot.ts';
import { aboutRest } from './rest/take-rest.ts';
import { batchBytesFor, limitRate } from './scan/limit-rate.ts';
import { settleCollection } from './settle/settle-collection.ts';
import type { SettleCollection } from './settle/store-lists.ts';
import { hostsOfUri } from '../mongo/index.ts';
import { readSourceIdentity, type SourceIdentity } from './source-identity.ts';
import { asReadError, isTransient, openSource, type Source } from './source.ts';
import { watchProgress } from './watch-progress.ts';

/** Steps that a mutation check replaces, to prove that their absence is noticed. */
export interface CaptureSteps {
  readonly settleCollection: SettleCollection;
}

const ATTEMPTS = 3;
const BEGIN_AGAIN_AFTER_MS = 1_000;
const STALL_AFTER_MS = 5 * 60_000;
const COLLECTIONS_AT_ONCE = 4;
/** How long work may take to notice a cancel before it is left behind. */
const LEAVE_AFTER_MS = 500;

export const captureSnapshot: CaptureSnapshot = (options) => captureWith(options, { settleCollection });

/** `captureSnapshot` with its steps handed in. */
export async function captureWith(options: CaptureOptions, steps: CaptureSteps): Promise<CaptureResult> {
  const previous = await readPrevious(options.previous, options.log);
  let rest = options.rest ?? null;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await captureOnce(options, { selection: options.selection, previous, settle: steps.settleCollection, rest });
    } catch (error) {
      throwIfAborted(options.signal);
      if (rest !== null && isOfTheRest(error)) {
        rest = null;
        await options.onAnew?.(describeError(error));
      }
      if (attempt === ATTEMPTS || !mayPass(error)) throw asReadError(error, 'Capturing', hostsOfUri(options.uri).join(', '));
      options.log.warn({ attempt, reason: describeError(error) }, 'the capture begins again');
      await sleep(BEGIN_AGAIN_AFTER_MS, options.signal);
    }
  }
}

/** True for what a new attempt may not meet again: a restarted member, a stepdown, a disturbed reasoning. */
function mayPass(error: unknown): boolean {
  return isTransient(error) || (isLeafvaultError(error) && RETRIED_CODES.has(error.code));
}

/** True for what an attempt that went on from a rest may have met because it did. */
function isOfTheRest(error: unknown): boolean {
  return isLeafvaultError(error) && RETRIED_CODES.has(error.code) && !UNREACHED_CODES.has(error.code);
}

async function captureOnce(options: CaptureOptions, input: Omit<AttemptInput, 'identity'>): Promise<CaptureResult> {
  const watch = watchProgress({ clock: options.clock, onProgress: options.onProgress, stallAfterMs: options.limits?.stallAfterMs ?? STALL_AFTER_MS, begun: aboutRest(input.rest)?.progress });
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, watch.stalled, over.signal]);
  const folder = await mkdtemp(join(options.tempDir, 'capture-'));
  try {
    return await untilAborted(attempt(options, input, { watch, signal, folder }), signal, () => (restWithinMs(options) ?? 0) + LEAVE_AFTER_MS);
  } catch (error) {
    // A stall or a cancel shows up as whatever it broke first.
    throwIfAborted(options.signal);
    throwIfAborted(watch.stalled);
    throw error;
  } finally {
    over.abort(new Error('the attempt is over'));
    watch.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Null unless the capture's own signal fired, for a reason that lets it rest. */
function restWithinMs({ signal, restWithinMs: within }: CaptureOptions): number | null {
  return signal.aborted ? (within?.(signal.reason) ?? null) : null;
}

async function attempt(options: CaptureOptions, input: Omit<AttemptInput, 'identity'>, parts: Pick<CaptureContext, 'watch' | 'signal' | 'folder'>): Promise<CaptureResult> {
  const source = await openSource({ uri: options.uri, preferredMember: aboutRest(input.rest)?.member ?? input.previous.member, signal: parts.signal, clock: options.clock, log: options.log });
  // Work that waits for something else than the source never gets to `finally`.
  const onAbort = (): void => void source.close();
  parts.signal.addEventListener('abort', onAbort, { once: true });
  try {
    await options.onPhase?.('connected');
    const identity = await readSourceIdentity(source);
    const run = source.facts.topology === 'replicaSet' ? captureReplicaSet : captureStandalone;
    const result = await run(contextOf(options, { ...parts, source }), { ...input, identity });
    return { body: bodyOf(options, source, { ...identity, ...result }), missing: result.missing };
  } finally {
    parts.signal.removeEventListener('abort', onAbort);
    await source.close();
  }
}

function contextOf(options: CaptureOptions, parts: Pick<CaptureContext, 'source' | 'watch' | 'signal' | 'folder'>): CaptureContext {
  return {
    ...parts,
    writer: options.writer,
    hashSeed: options.hashSeed,
    kernel: createKernel(options.hashSeed),
    takeBytes: limitRate(options.clock, options.limits?.bytesPerSecond),
    batchBytes: batchBytesFor(options.limits?.bytesPerSecond),
    log: options.log,
    clock: options.clock,
    deltas: options.deltas ?? true,
    collectionsAtOnce: options.limits?.collectionsAtOnce ?? COLLECTIONS_AT_ONCE,
    onPhase: async (phase) => options.onPhase?.(phase),
    restWithinMs: () => restWithinMs(options),
    onRest: async (rest) => options.onRest?.(rest),
    onAnew: async (reason) => options.onAnew?.(reason),
  };
}

/** What waits for a stalled store never hears the signal: the caller is answered all the same. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal, leaveAfterMs: () => number): Promise<T> {
  return new Promise((resolve, reject) => {
    work.then(resolve, reject);
    const onAbort = (): void => void setTimeout(() => reject(signal.reason), leaveAfterMs()).unref();
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Always stated: a restore moves aside only what the snapshot would hold if it had been there. */
function statedSelection(selection: NamespaceSelection): Pick<SnapshotBody, 'selection' | 'narrowedSelection'> {
  return selection.excluded === undefined ? { selection } : { narrowedSelection: selection };
}

function bodyOf(options: CaptureOptions, source: Source, result: AttemptResult & SourceIdentity): SnapshotBody {
  const { facts } = source;
  return {
    engineVersion: 1,
    source: {
      topology: facts.topology === 'replicaSet' ? 'replicaSet' : 'standalone',
      replicaSetName: facts.replicaSetName,
      replicaSetId: result.replicaSetId,
      serverVersion: facts.version,
      featureCompatibilityVersion: result.featureCompatibilityVersion,
      member: source.member,
    },
    consistency: result.pointInTime === null ? 'fuzzy' : 'point-in-time',
    ...statedSelection({ databases: [], collections: [], ...options.selection }),
    beganAt: result.beganAt,
    pointInTime: result.pointInTime,
    capturedAt: (result.pointInTime === null ? options.clock.now() : new Date(result.pointInTime.t * 1000)).toISOString(),
    collections: result.collections,
    documents: result.documents,
    bytes: result.bytes,
  };
}
