// Links of a list: itself and its neighbours, absolute, with the parameters as they were sent.
import type { Page } from '../../domain/records.ts';

export interface Link { readonly rel: string; readonly href: string }

export interface ListPlace {
  /** Origin of the server, without a slash at the end. */
  readonly origin: string;
  /** Path and query exactly as they came. */
  readonly target: string;
  readonly includeCount: boolean;
  /** null for a list that is not paged. */
  readonly page: Page | null;
  readonly totalCount: number;
}

/** `self`, `previous` behind page 1, `next` when more is there; clients read the page number out of `self`. */
export function listLinks(place: ListPlace): readonly Link[] {
  const [path = '', sent = ''] = place.target.split(/\?(.*)/s);
  const at = (query: string): string => `${place.origin}${path}${query === '' ? '' : `?${query}`}`;
  if (place.page === null) return [{ href: at(sent), rel: 'self' }];
  const { pageNumber, itemsPerPage } = place.page;
  const rest = sent.split('&').filter((each) => each !== '');
  const query = [
    ...rest,
    ...absent(rest, 'includeCount', String(place.includeCount)),
    ...absent(rest, 'pageNum', String(pageNumber)),
    ...absent(rest, 'itemsPerPage', String(itemsPerPage)),
  ];
  const other = (number: number): string => at([...query.filter((each) => !isParameter(each, 'pageNum')), `pageNum=${number}`].join('&'));
  return [
    { href: at(query.join('&')), rel: 'self' },
    ...(pageNumber > 1 ? [{ href: other(pageNumber - 1), rel: 'previous' }] : []),
    ...(pageNumber * itemsPerPage < place.totalCount ? [{ href: other(pageNumber + 1), rel: 'next' }] : []),
  ];
}

function absent(sent: readonly string[], name: string, value: string): readonly string[] {
  return sent.some((each) => isParameter(each, name)) ? [] : [`${name}=${value}`];
}

function isParameter(text: string, name: string): boolean {
  return text === name || text.startsWith(`${name}=`);
}
