// What stands in the catalog of the store that the repository lies in.

/** Value of the setting `store <repository id>`, written at each start of the service. */
export interface StoreState {
  /** False where it can't refuse a name that is taken: nothing is pruned there (docs/decisions/0018-no-prune-without-conditional-put.md). */
  readonly conditionalPut: boolean;
}

export const storeKey = (repositoryId: string): string => `store ${repositoryId}`;
