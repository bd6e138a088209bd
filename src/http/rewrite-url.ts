// Paths before routing: aliases of a prefix, mixed case and double slashes where a facade's clients send them.
// Digest goes by the request target as it came (`request.originalUrl`), never by what is made here.
import type { Facade } from './facade.ts';

type Rules = Pick<Facade, 'prefix' | 'aliases' | 'caseInsensitive'>;

/** A function from the request target to the one that is routed. The query stays as it is. */
export function urlRewriter(facades: readonly Rules[]): (target: string) => string {
  const rules = facades
    .filter((facade) => facade.caseInsensitive === true || (facade.aliases ?? []).length > 0)
    .flatMap((facade) => [facade.prefix, ...(facade.aliases ?? [])].map((from) => ({ from, facade })));
  return (target) => {
    const queryAt = target.indexOf('?');
    const path = queryAt === -1 ? target : target.slice(0, queryAt);
    for (const { from, facade } of rules) {
      const tidy = facade.caseInsensitive === true ? path.replace(/\/{2,}/g, '/').toLowerCase() : path;
      if (tidy === from || tidy.startsWith(`${from}/`)) {
        return facade.prefix + tidy.slice(from.length) + (queryAt === -1 ? '' : target.slice(queryAt));
      }
    }
    return target;
  };
}
