// What went from the source and stays in the copy for a while: since when each name is missed (docs/design/second-copy.md, "Keeping what went").
import { isLeafvaultError } from '../../foundation/errors.ts';
import { newId } from '../../foundation/ids.ts';
import { idOfName, MISSED, missedName } from '../format/names.ts';
import { openJson, sealJson } from '../format/sealed-json.ts';
import { readObjectIfAny } from '../read-object.ts';
import type { Transfer } from './transfer.ts';

export interface Keeping {
  /** Whether what the source has no more may go from the copy now, or a fact that deletes may come. The first question starts its time. */
  isDue(name: string): boolean;
  /** Names whose time is not over. */
  readonly kept: number;
  /** @param asked true where every name that is missed was asked for: others are back, or gone, and are forgotten */
  save(asked: boolean): Promise<void>;
}

const DAY_MS = 86_400_000;

/** Names and instants in ms since 1970. */
type Since = ReadonlyMap<string, number>;

export async function openKeeping(transfer: Pick<Transfer, 'source' | 'to' | 'options'>): Promise<Keeping> {
  const { source, to, options: { keepDays = 0, dryRun } } = transfer;
  const now = source.clock.now().getTime();
  const { newest, names } = await readNotes(transfer);
  const noted = new Map<string, number>();
  let kept = 0;
  return {
    isDue(name) {
      if (keepDays <= 0) return true;
      const since = Math.min(newest.get(name) ?? now, now);
      noted.set(name, since);
      if (now - since >= keepDays * DAY_MS) return true;
      kept += 1;
      return false;
    },
    get kept() {
      return kept;
    },
    async save(asked) {
      if (dryRun === true) return;
      const since = new Map(asked || keepDays <= 0 ? noted : [...newest, ...noted]);
      if (isSame(since, newest) && names.length === (since.size === 0 ? 0 : 1)) return;
      if (since.size > 0) {
        const name = missedName(newId(source.clock.now()));
        const body = { since: Object.fromEntries([...since].map(([object, ms]) => [object, new Date(ms).toISOString()])) };
        await to.put(name, sealJson(source.keys, { kind: 'missed', name }, body));
      }
      for (const name of names) await to.delete(name);
    },
  };
}

/** One that can't be read counts as none: times begin anew, and everything stays longer. */
async function readNotes({ source: { keys, log }, to }: Pick<Transfer, 'source' | 'to'>): Promise<{ readonly newest: Since; readonly names: readonly string[] }> {
  const names: string[] = [];
  for await (const { name } of to.list(MISSED)) if (idOfName(name) !== null) names.push(name);
  const last = names.sort().at(-1);
  const bytes = last === undefined ? null : await readObjectIfAny(to, last);
  if (last === undefined || bytes === null) return { newest: new Map(), names };
  try {
    const { since } = openJson(keys, { kind: 'missed', name: last }, bytes);
    const rows = Object.entries((since ?? {}) as Readonly<Record<string, unknown>>).map(([name, at]) => [name, Date.parse(String(at))] as const);
    return { newest: new Map(rows.filter(([, ms]) => !Number.isNaN(ms))), names };
  } catch (error) {
    if (!isLeafvaultError(error) || !error.code.startsWith('REPOSITORY_')) throw error;
    log.warn({ object: last, reason: error.message }, 'since when things are missed in the source can not be read; their time begins anew');
    return { newest: new Map(), names };
  }
}

function isSame(a: Since, b: Since): boolean {
  return a.size === b.size && [...a].every(([name, ms]) => b.get(name) === ms);
}
