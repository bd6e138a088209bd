// How large a collection is, for progress, for the size of batches and for the first choice of a cut mask.
import { joinNamespace } from '../../mongo/index.ts';
import type { CatalogCollection } from '../collections/catalog.ts';
import type { CaptureContext } from '../capture-context.ts';

export interface SizeEstimate {
  readonly documents: number;
  readonly bytes: number;
  readonly averageBytes: number | null;
}

export const UNKNOWN_SIZE: SizeEstimate = { documents: 0, bytes: 0, averageBytes: null };

/** From `collStats`. Nothing depends on it but speed: what can't be told is unknown. */
export async function estimateSize({ source, log }: CaptureContext, { db, name }: CatalogCollection): Promise<SizeEstimate> {
  try {
    const stats = await source.command(db, { collStats: name });
    const bytes = Number(stats.size ?? 0);
    const documents = Number(stats.count ?? (stats.timeseries as { readonly bucketCount?: unknown } | undefined)?.bucketCount ?? 0);
    return { documents, bytes, averageBytes: documents > 0 ? bytes / documents : null };
  } catch (error) {
    // Valid fallback: the scan learns the average as it goes.
    log.debug({ namespace: joinNamespace(db, name), reason: (error as Error).message }, 'no size estimate');
    return UNKNOWN_SIZE;
  }
}
