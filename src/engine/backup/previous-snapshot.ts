// What a capture takes over from the snapshot before: the member, and where each collection was cut.
import type { CaptureOptions, CollectionBody, SnapshotBody } from '../contracts.ts';
import { joinNamespace } from '../mongo/index.ts';

export interface PreviousSnapshot {
  readonly member: string | null;
  /** The mask of a collection by its UUID, else by its name (a restore gives new UUIDs). */
  cutMask(uuid: string, namespace: string): number | null;
}

export async function readPrevious(previous: CaptureOptions['previous']): Promise<PreviousSnapshot> {
  const masks = new Map<string, number>();
  if (previous === null) return { member: null, cutMask: () => null };
  for await (const entry of previous.reader.entries(previous.root)) {
    const body = entry.body as unknown as CollectionBody;
    if (typeof body.cutMask !== 'number' || body.kind === 'view') continue;
    masks.set(joinNamespace(body.db, body.name), body.cutMask);
    if (body.uuid !== null) masks.set(body.uuid, body.cutMask);
  }
  const { source } = previous.root.body as unknown as SnapshotBody;
  return { member: source.member, cutMask: (uuid, namespace) => masks.get(uuid) ?? masks.get(namespace) ?? null };
}
