// Where a stream of documents is cut into chunks. The rule looks at hashes of `_id` and at the sizes since
// the last cut only, so that boundaries survive inserts, deletes and updates elsewhere.

export interface CutRule {
  /** A document whose id hash has these low bits clear ends a chunk of at least `minBytes`. A power of two minus one. */
  readonly mask: number;
  readonly minBytes: number;
  /** From here on an eighth of the mask is enough, so that a chunk seldom reaches `maxBytes`. */
  readonly softBytes: number;
  /** No chunk of more than one document is longer. */
  readonly maxBytes: number;
}

/** The stated sizes; part of what makes a chunk the same again, so they never change for a repository. */
export const CHUNK_SIZES = { minBytes: 16 * 1024, softBytes: 256 * 1024, maxBytes: 1024 * 1024 } as const;

const TARGET_BYTES = 64 * 1024;
const MAX_MASK = 2 ** 24 - 1;

/** The mask for documents of this average size: cuts 48 to 96 KiB apart beyond the minimum, where documents are that small. */
export function chooseCutMask(averageDocumentBytes: number): number {
  const documents = TARGET_BYTES / Math.max(averageDocumentBytes, 16);
  if (documents <= 1.5) return 0;
  return Math.min(2 ** Math.round(Math.log2(documents)) - 1, MAX_MASK);
}

export function cutRule(mask: number): CutRule {
  return { mask, ...CHUNK_SIZES };
}
