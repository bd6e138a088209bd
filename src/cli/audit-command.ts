// What the command line changed, as events of the project it was changed in.
import type { openCatalogOf } from '../app.ts';
import { isLeafvaultError } from '../foundation/errors.ts';

type Catalog = Awaited<ReturnType<typeof openCatalogOf>>;

/** Who it was, wherever that is asked: the machine knows no more. */
export const BY_COMMAND_LINE = 'command line';

export interface CommandEvent { readonly action: string; readonly projectId: string; readonly object: string | null; readonly details?: Readonly<Record<string, unknown>> }

/** In the transaction of the change. */
export async function auditCommand({ auditEvents }: Pick<Catalog, 'auditEvents'>, event: CommandEvent): Promise<void> {
  await auditEvents.insert(rowOf(event, 200));
}

/** Of a change of several steps: written before `work`, with its outcome behind it. What `work` throws is thrown on; an outcome that can't be kept stays unknown. */
export async function auditWork<T>({ auditEvents }: Pick<Catalog, 'auditEvents'>, event: CommandEvent, work: () => Promise<T>): Promise<T> {
  const id = await auditEvents.begin(rowOf(event));
  const done = await work().catch(async (error: unknown) => {
    // The reason of the failure counts; without an outcome the event says less, and nothing wrong.
    await auditEvents.settle(id, [rowOf(event, isRefusal(error) ? 409 : 500)]).catch(() => undefined);
    throw error;
  });
  await auditEvents.settle(id, [rowOf(event, 200)]).catch(() => undefined);
  return done;
}

/** What breaks on the way, the connection to the catalog above all, may break behind the commit. */
function isRefusal(error: unknown): boolean {
  return isLeafvaultError(error) && !error.code.startsWith('CATALOG_');
}

function rowOf({ details = {}, ...event }: CommandEvent, status?: number): Parameters<Catalog['auditEvents']['insert']>[0] {
  return { ...event, principalKind: null, principalId: null, principalName: BY_COMMAND_LINE, orgId: null, address: 'local', details: { ...details, ...(status === undefined ? {} : { status }) } };
}
