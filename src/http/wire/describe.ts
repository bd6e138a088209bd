// What the document of the APIs says of an operation beside its row in a table of routes: the body by the very schema that parses it, the
// answer by a shape that the contract tests hold real answers against.
import type { z } from 'zod';
import type { Answer } from './answer.ts';

/** A schema and the name that it has in the document. */
export interface Named { readonly name: string; readonly schema: z.ZodType }

/** The same for all versions, or by the version that answers. */
export type ByVersion<T> = T | ((version: string) => T);

export type DescribedAnswer =
  /** `page`: a list in pages; `list`: one that is told whole; `bare`: an array without anything around it. */
  | { readonly kind: 'one' | 'page' | 'list' | 'bare'; readonly of: ByVersion<Named> }
  | { readonly kind: 'none' }
  /** Always an error. */
  | { readonly kind: 'refusal' };

export interface Description {
  /** A sentence without its full stop. */
  readonly summary: string;
  /** Parameters that not all operations have. */
  readonly query?: Readonly<Record<string, z.ZodType>>;
  readonly body?: ByVersion<Named>;
  readonly answer: DescribedAnswer;
  /** Of success; 200, or 204 without a body. */
  readonly status?: number;
}

export type Handler = (call: never) => Promise<Answer>;

export interface DescribedResource {
  readonly tag: string;
  readonly operations: readonly (readonly [handler: Handler, description: Description])[];
}

export function forVersion<T extends object>(value: ByVersion<T>, version: string): T {
  return typeof value === 'function' ? (value as (version: string) => T)(version) : value;
}
