// What a handler gives back, and its text on the wire: plain, or in the envelope for clients that see only bodies.
import type { Page } from '../../domain/records.ts';
import { jsonText } from './json-text.ts';
import { listLinks } from './list-links.ts';
import type { MmsQuery } from './read-query.ts';

export type Answer =
  /** Some answers are a bare word or list. `status`: 200 unless told. */
  | { readonly kind: 'one'; readonly body: object | boolean; readonly status?: 201 }
  /** `page` null: the list is not paged. */
  | { readonly kind: 'list'; readonly results: readonly object[]; readonly totalCount: number; readonly page: Page | null }
  /** 204 unless told. */
  | { readonly kind: 'none'; readonly status?: 202 };

export interface AnswerPlace {
  readonly origin: string;
  readonly target: string;
  readonly query: MmsQuery;
}

/** Body text. '' for an answer without a body. */
export function answerText(answer: Answer, place: AnswerPlace): string {
  if (answer.kind === 'none') return '';
  const { envelope, pretty, includeCount } = place.query;
  if (answer.kind === 'one') return jsonText(envelope ? enveloped(answer.status ?? 200, answer.body) : answer.body, pretty);
  return jsonText({
    links: listLinks({ ...place, includeCount, page: answer.page, totalCount: answer.totalCount }),
    results: answer.results,
    status: envelope ? 200 : undefined,
    totalCount: includeCount ? answer.totalCount : undefined,
  }, pretty);
}

/** The customer's page names the body `envelope`, other pages of the vendor `content`: both are there. */
export function enveloped(status: number, body: unknown): object {
  return { status, envelope: body, content: body };
}
