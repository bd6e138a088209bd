// Holds or refuses what clients ask of a server, so that a moment in the middle of their work lasts until somebody has seen it, however fast or slow the machine is.
import type { MongoServer } from './mongod.ts';
import { PATIENCE_MS } from './patience.ts';

/** Parameters of a server whose commands can be held. */
export const HOLDABLE = { enableTestCommands: true } as const;
/** Longer than any test. */
const HELD_MS = 3_600_000;

/**
 * The server begins none of these commands from now on, but for the first `skip` of them.
 * @returns lets those through that come from then on; who waited is interrupted, as its client is dead or is told of it
 */
export async function holdCommands(server: Pick<MongoServer, 'admin'>, failCommands: readonly string[], { skip = 0 }: { readonly skip?: number } = {}): Promise<() => Promise<void>> {
  await server.admin({ configureFailPoint: 'failCommand', mode: skip > 0 ? { skip } : 'alwaysOn', data: { failCommands, blockConnection: true, blockTimeMS: HELD_MS } });
  return async () => {
    // It is over when nobody is held any more, and the server does not see that the client of a held command died.
    let isOff = false;
    const off = switchOff(server).finally(() => { isOff = true; });
    while (!isOff) {
      const { inprog } = (await server.admin({ currentOp: 1, active: true })) as unknown as { readonly inprog: readonly { readonly opid: number; readonly command?: Readonly<Record<string, unknown>> }[] };
      for (const { opid, command = {} } of inprog) if (failCommands.some((name) => name in command)) await server.admin({ killOp: 1, op: opid });
    }
    await off;
  };
}

/**
 * Each of these commands takes `ms` longer from now on: a work of many of them lasts as long as a test likes, and can still be ended between two.
 * @param of which of them, by the server's own words: `namespace`, `appName`
 * @returns `entered` waits until so many have begun, `release` is for those that come then
 */
export async function slowCommands(
  server: Pick<MongoServer, 'admin'>, failCommands: readonly string[], ms: number, of: { readonly namespace?: string; readonly appName?: string } = {},
): Promise<{ readonly entered: (times: number) => Promise<void>; readonly release: () => Promise<void> }> {
  const { count } = await server.admin({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data: { ...of, failCommands, blockConnection: true, blockTimeMS: ms } });
  return {
    entered: async (times) => void (await server.admin({ waitForFailPoint: 'failCommand', timesEntered: Number(count) + times, maxTimeMS: PATIENCE_MS })),
    release: async () => void (await switchOff(server)),
  };
}

/**
 * These commands fail from now on, the first `times` of them.
 * @param how `errorCode` is the answer; `closeConnection`: there is none
 * @returns ends it, and says how often clients met it
 */
export async function refuseCommands(
  server: Pick<MongoServer, 'admin'>, failCommands: readonly string[], times: number | 'all', how: { readonly errorCode?: number; readonly closeConnection?: boolean; readonly namespace?: string },
): Promise<() => Promise<number>> {
  const { count: before } = await server.admin({ configureFailPoint: 'failCommand', mode: times === 'all' ? 'alwaysOn' : { times }, data: { failCommands, ...how } });
  return async () => Number((await switchOff(server)).count) - Number(before);
}

function switchOff(server: Pick<MongoServer, 'admin'>): ReturnType<MongoServer['admin']> {
  return server.admin({ configureFailPoint: 'failCommand', mode: 'off' });
}
