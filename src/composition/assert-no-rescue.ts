// A catalog that a rescue has not finished is not to be worked with: what the store knows better is not in it yet.
import type { CatalogStore } from '../catalog/index.ts';
import { LeafvaultError } from '../foundation/errors.ts';

/** @throws RESCUE_UNFINISHED */
export async function assertNoRescue(catalog: Pick<CatalogStore, 'rescues'>): Promise<void> {
  if (!(await catalog.rescues.isUnderWay())) return;
  throw new LeafvaultError('RESCUE_UNFINISHED', 'Opening the catalog was refused: a rescue of it was begun and has not ended', {
    hint: 'Wait for it if it runs; else run the same `leafvault rescue` again: it begins anew',
  });
}
