// What a tailer tells of its source, into the catalog: one write at a time, the newest news first; asks for a base as long as there is none.
import type { Catalog, Tailer, TailerClaim } from '../../catalog/index.ts';
import { compareClusterTimes, type ClusterTime } from '../../domain/cluster-time.ts';
import type { Cluster } from '../../domain/records.ts';
import type { TailStatus } from '../../engine/index.ts';
import { describeError, isLeafvaultError } from '../../foundation/errors.ts';
import type { Logger } from '../../foundation/logger.ts';
import { askForBase, type BaseParts } from './ask-for-base.ts';
import { warningOf } from './headroom.ts';

export interface StatusParts extends BaseParts {
  readonly catalog: Catalog;
  readonly claim: TailerClaim;
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly chainId: () => string | null;
  /** The claim is no longer good. */
  readonly lose: () => void;
}

export interface StatusWriter {
  tell(status: TailStatus): void;
  /** Resolves when nothing is written any more. */
  settled(): Promise<void>;
}

/** @param before what the catalog knew when following began */
export function createStatusWriter(parts: StatusParts, before: Tailer | null): StatusWriter {
  let oldest: ClusterTime | null = before?.oldest ?? null;
  let rolls = before?.rolls ?? false;
  let warning: string | null = null;
  let writing: Promise<void> | null = null;
  let next: TailStatus | null = null;

  const write = async (status: TailStatus): Promise<void> => {
    const { catalog, claim, lose, log } = parts;
    rolls ||= oldest !== null && compareClusterTimes(oldest, status.oldest) < 0;
    oldest = status.oldest;
    const words = warningOf({ ...status, rolls });
    if (words !== null && warning === null) log.warn({ reason: words }, 'the oplog may roll over before it is kept');
    warning = words;
    if (await catalog.tailers.saveStatus(claim, { ...status, rolls, warning: warning ?? (await baseTrouble(parts)) })) await seeToBase(parts);
    else lose();
  };
  const writeAll = async (): Promise<void> => {
    for (let status = next; status !== null; status = next) {
      next = null;
      await write(status).catch((error: unknown) => {
        // The next one says the same and more; a lost claim is heard with the renewal as well.
        if (isLeafvaultError(error, 'CATALOG_TAILER_LOST')) parts.lose();
        else parts.log.debug({ reason: describeError(error) }, 'the state of the tailer could not be written');
      });
    }
  };
  return {
    tell(status) {
      next = status;
      writing ??= writeAll().finally(() => { writing = null; });
    },
    async settled() {
      await writing;
    },
  };
}

/** Words where the newest try to get a base failed. */
async function baseTrouble({ catalog, chainId }: StatusParts): Promise<string | null> {
  const id = chainId();
  const failure = id === null ? null : await catalog.chains.baseFailure(id);
  return failure === null ? null : `the last try to take the base snapshot failed (${failure.code}): ${failure.message}`;
}

async function seeToBase({ catalog, claim, cluster, chainId, log, ...base }: StatusParts): Promise<void> {
  const id = chainId();
  if (id === null || !(await catalog.chains.needsBase(id, { patienceMs: base.baseRetryMs, freshMs: base.baseFreshMs }))) return;
  const snapshot = await catalog.following(claim, (tx) => askForBase(base, tx, cluster, id));
  if (snapshot !== null) log.info({ chain: id, snapshot }, 'a base is asked for');
}
