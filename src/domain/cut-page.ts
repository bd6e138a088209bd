// A page of a list that is at hand whole.
import type { Page, PageOf } from './records.ts';

export function cutPage<T>(all: readonly T[], { pageNumber, itemsPerPage }: Page): PageOf<T> {
  return { items: all.slice((pageNumber - 1) * itemsPerPage, pageNumber * itemsPerPage), totalCount: all.length };
}
