// Lists that the wire wants whole while services page them.
import type { Page, PageOf } from '../../domain/records.ts';

const ITEMS_PER_PAGE = 500;

/** All items, page after page. For lists that stay small: projects, snapshots of one cluster. */
export async function readEveryPage<T>(read: (page: Page) => Promise<PageOf<T>>): Promise<readonly T[]> {
  const all: T[] = [];
  for (let pageNumber = 1; ; pageNumber += 1) {
    const { items, totalCount } = await read({ pageNumber, itemsPerPage: ITEMS_PER_PAGE });
    all.push(...items);
    if (items.length === 0 || all.length >= totalCount) return all;
  }
}
