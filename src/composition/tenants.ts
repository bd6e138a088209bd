// What should exist at this start: the declared organizations, or a first start's own.
import type { Catalog } from '../catalog/index.ts';
import type { Config } from '../config/index.ts';
import type { Clock } from '../foundation/clock.ts';
import type { Logger } from '../foundation/logger.ts';
import { applyDeclared, firstStart, type FirstStart } from '../services/index.ts';

/** Makes what is missing. @returns what a person has to write down, at a first start with nothing declared */
export async function prepareTenants(options: {
  readonly catalog: Catalog; readonly config: Config; readonly clock: Clock; readonly masterKey: Uint8Array; readonly log: Logger; readonly warn: (text: string) => void;
}): Promise<FirstStart | null> {
  const { catalog, config, clock, masterKey, log, warn } = options;
  if (config.organizations.length === 0) return firstStart({ catalog, clock, masterKey, sourceUri: config.sourceUri });
  if (config.sourceUri !== null) warn('source.uri is ignored: organizations are declared, and clusters belong to their projects');
  const report = await applyDeclared({ catalog, clock }, config.organizations);
  for (const made of report.created) log.info({ made }, 'made what was declared');
  for (const changed of report.changed) log.info({ changed }, 'took over what was declared');
  for (const differs of report.differs) warn(`Declared otherwise than the catalog has it, which was left alone: ${differs}`);
  return null;
}
