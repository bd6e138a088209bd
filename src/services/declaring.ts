// One run of a declaration: where it writes, what it has to tell, how it fails.
import type { CatalogAggregates } from '../catalog/index.ts';
import type { Clock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';

/** What a start did, in words without secrets: `cluster orders of project shop`. */
export interface DeclarationReport {
  readonly created: string[];
  /** Taken over from the file. */
  readonly changed: string[];
  /** Left as the catalog has it. */
  readonly differs: string[];
}

export interface Declaring {
  readonly catalog: CatalogAggregates;
  readonly clock: Clock;
  readonly report: DeclarationReport;
  /** Credentials of this run, by kind and name, each with what its first declaration said of it. */
  readonly seen: Map<string, string>;
}

/** An error that names the place in the declaration, never a secret. */
export function contradiction(path: string, why: string): LeafvaultError {
  return new LeafvaultError('DECLARATION_INVALID', `Applying the declared ${path} failed: ${why}`, {
    details: { path },
    hint: 'Change leafvault.yaml so that it agrees with itself and with what is there, or leave the id out',
  });
}
