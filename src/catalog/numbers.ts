// Integer ids for Commvault's clients: a number for each of our ids, for ever.
import type { CatalogContext } from './context.ts';

export type NumberKind = 'project' | 'cluster' | 'subclient' | 'backupset' | 'task' | 'user';

export interface Numbers {
  /** From 2 up; one sequence for all kinds and for jobs. */
  numberOf(kind: NumberKind, id: string): Promise<number>;
  idOf(kind: NumberKind, number: number): Promise<string | null>;
}

export function createNumbers({ db }: CatalogContext): Numbers {
  const find = (kind: NumberKind, id: string) =>
    db.selectFrom('numbers').select('number').where('kind', '=', kind).where('refId', '=', id).executeTakeFirst();
  return {
    async numberOf(kind, id) {
      const known = await find(kind, id);
      if (known !== undefined) return known.number;
      await db.insertInto('numbers').values({ kind, refId: id }).onConflict((conflict) => conflict.doNothing()).execute();
      const made = await find(kind, id);
      return made?.number ?? this.numberOf(kind, id);
    },
    async idOf(kind, number) {
      // Beyond bigint there is no such number; PostgreSQL would answer with an error.
      if (!Number.isSafeInteger(number)) return null;
      const row = await db.selectFrom('numbers').select('refId').where('kind', '=', kind).where('number', '=', number).executeTakeFirst();
      return row?.refId ?? null;
    },
  };
}
