// Bounds what is under way to a target: inserts, bytes, and bytes that a majority doesn't hold yet.

export interface InsertSlots {
  /** Waits until there is room. One batch may be larger than the budget; it then goes alone. */
  take(bytes: number): Promise<void>;
  give(bytes: number): void;
}

export interface InsertSlotsOptions {
  readonly inserts: number;
  readonly bytes: number;
  /** After so many bytes nothing new starts until a barrier was passed. */
  readonly barrierBytes: number;
  readonly barrier: () => Promise<void>;
}

export function createInsertSlots(options: InsertSlotsOptions): InsertSlots {
  const waiting: { readonly bytes: number; readonly go: () => void }[] = [];
  let inserts = 0;
  let bytes = 0;
  let sinceBarrier = 0;
  let barrier: Promise<void> | null = null;
  let failure: { readonly error: unknown } | undefined;
  const hasRoom = (more: number): boolean => inserts === 0 || (inserts < options.inserts && bytes + more <= options.bytes);
  const enter = (more: number): void => {
    inserts += 1;
    bytes += more;
  };
  return {
    async take(more) {
      if (barrier !== null) await barrier;
      if (failure !== undefined) throw failure.error;
      if (waiting.length > 0 || !hasRoom(more)) await new Promise<void>((go) => waiting.push({ bytes: more, go }));
      else enter(more);
      sinceBarrier += more;
      if (sinceBarrier < options.barrierBytes || barrier !== null) return;
      sinceBarrier = 0;
      // Its failure is seen by all that come later, or by the barrier that ends the load.
      barrier = options.barrier().catch((error: unknown) => { failure = { error }; }).finally(() => { barrier = null; });
    },
    give(done) {
      inserts -= 1;
      bytes -= done;
      for (let next = waiting[0]; next !== undefined && hasRoom(next.bytes); next = waiting[0]) {
        waiting.shift();
        enter(next.bytes);
        next.go();
      }
    },
  };
}
