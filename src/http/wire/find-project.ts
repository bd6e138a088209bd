// Projects by their name: the family's APIs know both names and ids.
import type { Project } from '../../domain/records.ts';
import { LeafvaultError } from '../../foundation/errors.ts';
import type { Call } from './mms-routes.ts';
import { readEveryPage } from './read-every-page.ts';

/**
 * The visible project of that name, as written.
 * @throws PROJECT_NAME_NOT_FOUND, PROJECT_NAME_AMBIGUOUS (names are unique only within an organization)
 */
export async function findProjectByName(call: Pick<Call, 'services' | 'principal'>, name: string): Promise<Project> {
  const visible = await readEveryPage((page) => call.services.inventory.projects(call.principal, page));
  const [project, ...others] = visible.filter((each) => each.name === name);
  if (project === undefined) throw new LeafvaultError('PROJECT_NAME_NOT_FOUND', `Finding project ${name} failed: none of that name is visible`, { details: { name } });
  if (others.length > 0) throw new LeafvaultError('PROJECT_NAME_AMBIGUOUS', `Finding project ${name} failed: several have that name`, { details: { name } });
  return project;
}
