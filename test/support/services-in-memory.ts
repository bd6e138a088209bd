// Services of which a test gives the parts it needs; any other call fails by name.
import type { Audit, Services } from '../../src/services/contracts.ts';
import { identityInMemory } from './identity-in-memory.ts';

export type AuditRecord = Parameters<Audit['record']>[0];

/** With an identity in memory and an audit that goes into `events`. */
export function servicesInMemory(parts: Partial<Services> = {}, events: AuditRecord[] = []): Services {
  const given: Partial<Services> = { identity: identityInMemory(), audit: { record: async (event) => { events.push(event); } }, ...parts };
  return new Proxy(given as Services, {
    get(target, name) {
      if (name in target) return Reflect.get(target, name) as unknown;
      throw new Error(`This test has no services.${String(name)}`);
    },
  });
}
