// `leafvault compliance release`: lets an owner remove the backup compliance policy of a project. No API can: who may log in here decides.
import { openCatalogOf } from '../app.ts';
import type { Config } from '../config/index.ts';
import { systemClock } from '../foundation/clock.ts';
import { LeafvaultError } from '../foundation/errors.ts';
import { createLogger } from '../foundation/logger.ts';
import { auditCommand } from './audit-command.ts';
import { EXIT_CODES } from './errors.ts';
import type { CliWorld } from './world.ts';

export interface ReleaseFlags { readonly project: string; readonly email: string }

/** @throws COMPLIANCE_NOT_RELEASED */
export async function runComplianceRelease({ out }: CliWorld, config: Config, { project, email }: ReleaseFlags): Promise<number> {
  const catalog = await openCatalogOf(config, { clock: systemClock, log: createLogger(config.logLevel) });
  try {
    await catalog.transaction(async (tx) => {
      const record = /^[0-9a-f]{24}$/.test(project) ? await tx.compliance.holdToChange(project) : null;
      if (record === null) throw refused(project, 'it has none', 'Give the id of the project, 24 hex digits');
      if (record.policy.authorizedEmail !== email) throw refused(project, 'another person answers for it', 'Give the authorizedEmail of the policy with --email');
      await tx.compliance.release(project);
      await auditCommand(tx, { action: 'compliance release', projectId: project, object: null, details: { email } });
    });
    out(`The backup compliance policy of project ${project} is released: an owner can remove it with DELETE …/groups/${project}/backupCompliancePolicy. A change of it takes the release back\n`);
    return EXIT_CODES.ok.code;
  } finally {
    await catalog.close();
  }
}

function refused(project: string, why: string, hint: string): LeafvaultError {
  return new LeafvaultError('COMPLIANCE_NOT_RELEASED', `Releasing the backup compliance policy of project ${project} was refused: ${why}`, { hint });
}
