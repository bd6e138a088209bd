// The shared-tier view of the same snapshots and restores. Its lists are not paged at the vendor, whose shared tier keeps a handful:
// here they tell the newest 500, and the parameters of paged lists reach the others.
import type { Page } from '../../../../domain/records.ts';
import type { Answer } from '../../answer.ts';
import type { ProjectCall } from '../../mms-routes.ts';
import { readId } from '../../read-id.ts';
import { sourceOf } from '../inventory/handlers.ts';
import { parameter } from '../../read-query.ts';
import { readTimeSeries } from '../../read-time-series.ts';
import { withAddressFor } from '../../with-address.ts';
import { parseTenantDownload, parseTenantRestore } from './parse.ts';
import { presentTenantRestore, presentTenantSnapshot } from './present.ts';

export async function createTenantRestore(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  const order = parseTenantRestore(call.body, cluster);
  const restore = await call.services.restores.create({ ...order, cluster, principal: call.principal, timeSeries: readTimeSeries(call.headers) });
  return { kind: 'one', body: presentTenantRestore(restore, call.root) };
}

export async function downloadTenantSnapshot(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  const restore = await call.services.restores.create({ ...parseTenantDownload(call.body, cluster), cluster, principal: call.principal });
  return { kind: 'one', body: presentTenantRestore(restore, call.root) };
}

export async function listTenantRestores(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  const page = pageOf(call);
  const { items, totalCount } = await call.services.restores.list(cluster.id, page);
  return { kind: 'list', page: shownPage(page, totalCount), totalCount, results: items.map((each) => presentTenantRestore(withAddressFor(call, each), call.root)) };
}

export async function getTenantRestore(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  const restore = await call.services.restores.get(cluster.id, readId('restoreJob', call.params['restoreId']));
  return { kind: 'one', body: presentTenantRestore(withAddressFor(call, restore), call.root) };
}

export async function listTenantSnapshots(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  const page = pageOf(call);
  const { items, totalCount } = await call.services.snapshots.list(cluster.id, page);
  return { kind: 'list', page: shownPage(page, totalCount), totalCount, results: items.map((each) => presentTenantSnapshot(each, call.root)) };
}

export async function getTenantSnapshot(call: ProjectCall): Promise<Answer> {
  const cluster = await sourceOf(call);
  const snapshot = await call.services.snapshots.get(cluster.id, readId('snapshot', call.params['snapshotId']));
  return { kind: 'one', body: presentTenantSnapshot(snapshot, call.root) };
}

const WHOLE: Page = { pageNumber: 1, itemsPerPage: 500 };

function pageOf(call: ProjectCall): Page {
  return parameter(call.query, 'pageNum') === undefined && parameter(call.query, 'itemsPerPage') === undefined ? WHOLE : call.page();
}

/** Of a list that is told whole, none. */
function shownPage(page: Page, totalCount: number): Page | null {
  return page === WHOLE && totalCount <= WHOLE.itemsPerPage ? null : page;
}
