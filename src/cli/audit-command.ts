// What the command line changed, as events of the project it was changed in.
import type { openCatalogOf } from '../app.ts';

type Catalog = Awaited<ReturnType<typeof openCatalogOf>>;

/** Who it was, wherever that is asked: the machine knows no more. */
export const BY_COMMAND_LINE = 'command line';

export interface CommandEvent { readonly action: string; readonly projectId: string; readonly object: string | null; readonly details?: Readonly<Record<string, unknown>> }

/** To be called once it is done: events are shown of what succeeded. */
export async function auditCommand({ auditEvents }: Pick<Catalog, 'auditEvents'>, { details = {}, ...event }: CommandEvent): Promise<void> {
  await auditEvents.insert({ ...event, principalKind: null, principalId: null, principalName: BY_COMMAND_LINE, orgId: null, address: 'local', details: { ...details, status: 200 } });
}
