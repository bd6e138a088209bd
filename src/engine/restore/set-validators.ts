// Gives the loaded shadows their validators; from here on they are as the source's collections were.
import { LeafvaultError } from '../../foundation/errors.ts';
import { showNamespace } from '../mongo/namespaces.ts';
import { commandOf, splitOptions } from './collection-options.ts';
import type { RestoreContext } from './context.ts';

/** Documents that a validator would refuse now stay: it is set behind them, as it was on the source. @throws RESTORE_SHADOW_FAILED */
export async function setValidators({ target, loads, options, tally }: RestoreContext): Promise<void> {
  tally.begin('validators');
  for (const { entry, step } of loads) {
    const { validation } = splitOptions(entry.body);
    if (validation.size === 0 || entry.body.kind !== 'collection') continue;
    options.signal.throwIfAborted();
    try {
      await target.db(step.db).command({ ...commandOf('collMod', step.shadow, validation), writeConcern: { w: 'majority' } });
    } catch (cause) {
      if (typeof (cause as { readonly code?: unknown }).code !== 'number') throw cause;
      throw new LeafvaultError('RESTORE_SHADOW_FAILED', `Setting the validator of ${showNamespace(step.from)} on the target failed: the server refused it`, {
        cause, hint: 'Choose the other collections, or restore into a server of the version of the source',
      });
    }
  }
}
