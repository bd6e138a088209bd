// All APIs of the field that Leafvault answers.
import type { Facade } from '../facade.ts';
import { atlasPrivate } from './atlas-private/routes.ts';
import { atlasV1, atlasV15 } from './atlas-v1/routes.ts';
import { atlasV2 } from './atlas-v2/routes.ts';
import { commvault } from './commvault/routes.ts';
import { opsManagerV1, opsManagerVersion } from './ops-manager-v1/routes.ts';

export const facades: readonly Facade[] = [atlasV2, atlasV1, atlasV15, atlasPrivate, opsManagerV1, opsManagerVersion, commvault];
