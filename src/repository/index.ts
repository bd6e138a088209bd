// The door of the repository room.
export type {
  ChainEnd, ChainHead, Chains, ChainWriter, CheckProblem, CheckReport, ChunkList, ChunkListWriter, ChunkRef, CopyOptions, CopyReport, Dump, Dumps, Fact, HealOptions, HealReport,
  LockOptions, LockReport, NeededUntil, NewSlice, OpenSession,
  PruneOptions, PruneReport, ReadShare, Repository,
  RepositoryReader, RepositoryWriter, Slice, SnapshotEntry, SnapshotRoot, TrimmedDumps, WriteStats,
} from './repository.ts';
export { REPOSITORY_ERRORS, type RepositoryErrorCode } from './errors.ts';
export { initRepository, type InitOptions } from './init-repository.ts';
export { openRepository, type OpenOptions } from './open-repository.ts';
export { openOrInitRepository } from './open-or-init-repository.ts';
export { openKeySlots, listSlots, masterKeyIdOf, proveOpener, repositoryIdOf, type KeySlotInfo, type KeySlots, type KeySlotsOptions } from './slots.ts';
export { carrySlots } from './copy/carry-slots.ts';
export type { Opener } from './unlock.ts';
export { isLaterFact } from './facts.ts';
export { isDamage } from './format/damage.ts';
export { openWithCopies, type CopiesOptions } from './read/open-with-copies.ts';
