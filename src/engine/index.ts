// The door of the engine: what jobs, downloads and the command line use of it.
export { streamArchive } from './archive/index.ts';
export { captureSnapshot } from './backup/index.ts';
export { listNamespaces } from './snapshot/index.ts';
export { exportSnapshot } from './export/index.ts';
export { roleCommands } from './mongo/index.ts';
export type { OplogSlice, SliceLimits } from './oplog/slice-cutter.ts';
export { slicesOfChain } from './oplog/slices-of-chain.ts';
export { tailOplog, type TailOptions, type TailPosition, type TailStatus } from './oplog/tail-oplog.ts';
export type { ChainToRead } from './contracts.ts';
export { probeServer } from './probe-server.ts';
export { findOperations, readTimeline } from './timeline/index.ts';
export { endThrowaways, startThrowaway } from './throwaway/index.ts';
export { dropKept, findRehearsals, rehearseRestore, restoreSnapshot, settleRehearsal, settleRestore, standsElsewhere, undoRestore } from './restore/index.ts';
