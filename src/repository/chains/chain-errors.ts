// The errors of chains, each naming the chain.
import { isLeafvaultError, LeafvaultError } from '../../foundation/errors.ts';

/** REPOSITORY_CHAIN_MISSING */
export function missingChain(chainId: string): LeafvaultError {
  return new LeafvaultError('REPOSITORY_CHAIN_MISSING', `Opening the chain ${chainId} failed: the repository has none of that id`, {
    details: { chainId },
    hint: 'Begin a new chain and take a snapshot for it; where the chain was there before, look for what removed objects of the store',
  });
}

/** REPOSITORY_CHAIN_TAKEN */
export function takenSequence(chainId: string, sequence: number): LeafvaultError {
  return new LeafvaultError('REPOSITORY_CHAIN_TAKEN', `Adding number ${sequence} to the chain ${chainId} failed: another writer, or an earlier try, added that number first`, {
    details: { chainId, sequence },
    hint: 'Resume the chain: that reads what is there and goes on behind it',
  });
}

/** REPOSITORY_CHAIN_ENDED */
export function endedChain(chainId: string, reason: string): LeafvaultError {
  return new LeafvaultError('REPOSITORY_CHAIN_ENDED', `Adding to the chain ${chainId} failed: it has ended (${reason})`, {
    details: { chainId, reason },
    hint: 'Begin a new chain and take a snapshot for it',
  });
}

/** REPOSITORY_CHAIN_INVALID */
export function invalidChain(what: string, reason: string, hint: string): LeafvaultError {
  return new LeafvaultError('REPOSITORY_CHAIN_INVALID', `Storing ${what} failed: ${reason}`, { hint });
}

/**
 * REPOSITORY_CHAIN_BROKEN
 * @param object name of the object that is missing, damaged or out of line
 * @param sequence its number, 0 for `head`, null for `end`
 */
export function brokenChain(chainId: string, sequence: number | null, object: string, reason: string, cause?: unknown): LeafvaultError {
  const which = sequence === null ? 'its end' : sequence === 0 ? 'its head' : `number ${sequence}`;
  return new LeafvaultError('REPOSITORY_CHAIN_BROKEN', `Reading the chain ${chainId} failed at ${which} (${object}): ${reason}`, {
    cause,
    details: { chainId, sequence, object },
    hint: 'Bring the object back from a copy of the store if there is one; else the chain serves up to the number before it, and a new chain with a new snapshot has to follow',
  });
}

/** Lets `read` throw REPOSITORY_CHAIN_BROKEN in the place of REPOSITORY_OBJECT_DAMAGED. */
export async function asPartOfChain<T>(chainId: string, sequence: number | null, object: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!isLeafvaultError(cause, 'REPOSITORY_OBJECT_DAMAGED')) throw cause;
    throw brokenChain(chainId, sequence, object, cause.message, cause);
  }
}
