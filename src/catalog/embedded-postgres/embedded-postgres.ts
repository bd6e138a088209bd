import type { Clock } from '../../foundation/clock.ts';
import type { Logger } from '../../foundation/logger.ts';
import type { Address } from '../connection.ts';

export interface EmbeddedPostgres { readonly address: Address; stop(): Promise<void> }

export async function startEmbeddedPostgres(_options: { readonly home: string; readonly log: Logger; readonly clock: Clock }): Promise<EmbeddedPostgres> {
  throw new Error('not yet');
}
