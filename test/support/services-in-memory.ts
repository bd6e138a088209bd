// Services of which a test gives the parts it needs; any other call fails by name.
import type { Audit, Services } from '../../src/services/contracts.ts';
import { identityInMemory } from './identity-in-memory.ts';

export type AuditRecord = Parameters<Audit['record']>[0];

/** Keeps what is over; what is begun is not kept. */
export function auditInMemory(events: Pick<AuditRecord, 'action' | 'principal' | 'object' | 'address'>[]): Audit {
  return {
    record: async (event) => { events.push(event); },
    begin: () => Promise.resolve(1),
    settle: async (_id, settled) => { events.push(...settled); },
  };
}

/** With an identity in memory and an audit that goes into `events`. */
export function servicesInMemory(parts: Partial<Services> = {}, events: AuditRecord[] = []): Services {
  const given: Partial<Services> = { identity: identityInMemory(), audit: auditInMemory(events), ...parts };
  return new Proxy(given as Services, {
    get(target, name) {
      if (name in target) return Reflect.get(target, name) as unknown;
      throw new Error(`This test has no services.${String(name)}`);
    },
  });
}
