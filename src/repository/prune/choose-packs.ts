// Which packs go: those of which nothing is needed, and those that are worth rewriting.

export interface WeighedPack {
  readonly id: string;
  /** Of the object. */
  readonly sizeBytes: number;
  /** Of all chunks in it. */
  readonly storedBytes: number;
  /** Of the chunks that are kept there. */
  readonly liveBytes: number;
}

export interface PackChoice {
  readonly dead: readonly WeighedPack[];
  /** Their live chunks are put into new packs first. */
  readonly rewrite: readonly WeighedPack[];
}

/** Below this share of needed bytes a pack is rewritten: three bytes are written for one that becomes free, at most. */
const REWRITE_BELOW = 0.75;
/** Packs of less than this share of a full one come from small snapshots; once they fill one together they are joined. */
const SMALL = 0.25;

/** @param targetBytes of a full pack */
export function choosePacks(packs: Iterable<WeighedPack>, targetBytes: number): PackChoice {
  const [dead, rewrite, small]: [WeighedPack[], WeighedPack[], WeighedPack[]] = [[], [], []];
  for (const pack of packs) {
    if (pack.liveBytes === 0) dead.push(pack);
    else if (pack.liveBytes < pack.storedBytes * REWRITE_BELOW) rewrite.push(pack);
    else if (pack.sizeBytes < targetBytes * SMALL) small.push(pack);
  }
  const smallBytes = small.reduce((sum, { liveBytes }) => sum + liveBytes, 0);
  return { dead, rewrite: smallBytes >= targetBytes ? [...rewrite, ...small] : rewrite };
}
