// The backup compliance policy of one project.
import type { Answer } from '../../answer.ts';
import type { ProjectCall } from '../../mms-routes.ts';
import { flag } from '../../read-query.ts';
import { parsePolicy } from './parse.ts';
import { presentPolicy } from './present.ts';

export async function getPolicy({ services, project }: ProjectCall): Promise<Answer> {
  return { kind: 'one', body: presentPolicy(await services.compliance.get(project.id)) };
}

export async function putPolicy({ services, project, principal, body, query, version }: ProjectCall): Promise<Answer> {
  const overwrite = flag(query, 'overwriteBackupPolicies', true);
  const policy = parsePolicy(body, version, project.id);
  return { kind: 'one', body: presentPolicy(await services.compliance.put({ project, policy, overwrite, principal })) };
}

export async function deletePolicy({ services, project, principal }: ProjectCall): Promise<Answer> {
  await services.compliance.remove({ project, principal });
  return { kind: 'none' };
}
