// What a prune on the command line asks the catalog, where there is one: whether snapshots that it knows lost their roots.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog } from '../catalog/index.ts';
import type { Config } from '../config/index.ts';
import { assertNoneHidden } from '../jobs/index.ts';
import type { Repository } from '../repository/index.ts';

interface AskOptions {
  readonly config: Pick<Config, 'home' | 'databaseUrl' | 'masterKeyFile'>;
  readonly repository: Repository;
  readonly openCatalog: () => Promise<Catalog>;
}

/** @returns why no catalog could be asked; null: it was, and misses nothing @throws JOBS_SNAPSHOTS_HIDDEN, and what opening a catalog throws that should be there */
export async function askBeforePrune({ config: { home, databaseUrl, masterKeyFile }, repository, openCatalog }: AskOptions): Promise<string | null> {
  // One that is not there would be made.
  if (databaseUrl === null && !(await isThere(join(home, 'postgres', 'data')))) return `the home ${home} holds none`;
  if (!(await isThere(masterKeyFile))) return `it takes the master key, and there is no ${masterKeyFile}`;
  const catalog = await openCatalog();
  try {
    const known = await catalog.settings.get('repositoryId');
    // A mistyped database is made and empty: whoever reads this must not take it for asked.
    if (known === undefined) return 'it knows no repository, and may be another one than that of the service';
    if (known !== repository.id) return 'it is of another repository';
    await assertNoneHidden(catalog, repository);
    return null;
  } finally {
    await catalog.close();
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(() => true, () => false);
}
