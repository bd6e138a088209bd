// Versions: what an older target certainly can't hold is refused here; anything else that it refuses is refused when
// the shadows are made, before a live name is touched.
import { showNamespace } from '../../mongo/namespaces.ts';
import { optionsOf } from '../../snapshot/index.ts';
import { LIMITS_CHANGE_SINCE } from '../capped-room.ts';
import type { TargetFacts } from './gather-facts.ts';
import type { Judgement, Request } from './judge-facts.ts';

/** Options of a collection that came with a version. */
const SINCE: readonly { readonly option: string; readonly version: string; readonly words: string }[] = [
  { option: 'timeseries', version: '5.0', words: 'a time series' },
  { option: 'clusteredIndex', version: '5.3', words: 'a clustered collection' },
  { option: 'changeStreamPreAndPostImages', version: '6.0', words: 'pre- and post-images' },
  { option: 'encryptedFields', version: '7.0', words: 'queryable encryption' },
];

export function judgeVersion(facts: TargetFacts, request: Request): Judgement {
  if (compareVersions(facts.version, '5.0') < 0) return { reasons: [`the target runs MongoDB ${facts.version}, older than 5.0`], warnings: [] };
  const effective = facts.featureCompatibilityVersion ?? facts.version;
  const reasons = request.selected.flatMap(({ entry }) => {
    const options = optionsOf(entry.body);
    return SINCE.filter(({ option, version }) => isOn(options.get(option)) && compareVersions(effective, version) < 0)
      .map(({ version, words }) => `${showNamespace(entry.namespace)} is or has ${words}, which needs MongoDB ${version}; the target's feature compatibility version is ${effective}`);
  });
  if (compareVersions(effective, LIMITS_CHANGE_SINCE) < 0) reasons.push(...(request.needRoom ?? []).map((namespace) =>
    `${showNamespace(namespace)} held more than its limits say, which needs MongoDB ${LIMITS_CHANGE_SINCE}; the target's feature compatibility version is ${effective}`));
  return { reasons, warnings: versionWarnings(facts, request, effective) };
}

/** Negative, 0 or positive, by major and minor version. */
export function compareVersions(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number);
  const [majorB = 0, minorB = 0] = b.split('.').map(Number);
  return majorA - majorB || minorA - minorB;
}

function versionWarnings(facts: TargetFacts, request: Request, effective: string): string[] {
  const warnings: string[] = [];
  if (!facts.version.startsWith('6.0.')) warnings.push(`MongoDB ${facts.version} is a version that restores were not tested with`);
  if (compareVersions(effective, request.sourceFeatureCompatibilityVersion) < 0) {
    warnings.push(`the target (${facts.version}, compatibility ${effective}) is older than the source (${request.sourceVersion}, compatibility ${request.sourceFeatureCompatibilityVersion}): options and indexes that it does not know fail the restore before anything is replaced`);
  }
  return warnings;
}

function isOn(option: unknown): boolean {
  if (option instanceof Map) return option.get('enabled') !== false;
  return option !== undefined;
}
