// `npm run demo`: a shop is backed up while it sells, loses a database, and gets everything back, through the APIs
// that the field already uses. Ends with what was proven and exit code 0; any failure is non-zero with its cause.
import { backUpWhileSelling, type Taken } from './back-up.ts';
import { damage, restoreEverything } from './restore.ts';
import { downloadArchive, restoreThroughOpsManager, backUpThroughCommvault } from './other-doors.ts';
import { fingerprint } from './fingerprint.ts';
import { openDoors } from './doors.ts';
import { DOCUMENTS, openShop } from './shop.ts';
import { CLUSTER, KEY, openLeafvault, openMongo, PROJECT, USER, type Stage } from './stage.ts';
import { createStory } from './story.ts';
import { resolveMongod } from '../../test/support/mongod.ts';

const story = createStory();
const keep = process.argv.includes('--keep');
const closers: (() => Promise<unknown>)[] = [];
let closing: Promise<void> | undefined;
let isInterrupted = false;
let isKept = false;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (isInterrupted) process.exit(130);
    isInterrupted = true;
    if (isKept) story.say('cleaning up');
    else story.failed(`stopped by ${signal}; cleaning up`);
    void close().finally(() => process.exit(isKept ? process.exitCode : 130));
  });
}

try {
  await play();
  process.exitCode = 0;
} catch (error) {
  // What breaks because everything is being closed is no news.
  if (isInterrupted) await new Promise(() => undefined);
  story.failed(describe(error));
  process.exitCode = 1;
  await close();
}
// Whatever a failed chapter left open must not hold the process.
if (!keep || process.exitCode !== 0) process.exit();

async function play(): Promise<void> {
  const began = performance.now();
  story.chapter('A shop on a replica set of its own');
  const mongod = await resolveMongod({ onMessage: (text) => story.say(text) });
  const { mongo, client } = await openMongo();
  closers.unshift(() => client.close().finally(() => mongo.stop()));
  story.say(`MongoDB is ${mongod.version} (${mongod.source}), replica set "${mongo.name}", authorization on`);
  const filling = story.bar('filling the shop   ');
  const total = await openShop(client, (count) => filling.update(count / DOCUMENTS, `${count.toLocaleString('en')} documents`));
  filling.done(`${total.toLocaleString('en')} documents`);
  const before = await fingerprint(client);
  story.say(`${before.size} collections: unique, partial, sparse, text, 2dsphere, hashed, wildcard, TTL and hidden indexes,`);
  story.say('a view, a capped collection, a time series, a collation, a validator, and documents that break other tools');

  story.chapter('Leafvault beside it');
  const stage = await openLeafvault(mongo);
  closers.unshift(() => stage.close());
  story.say(`ready at ${stage.leafvault.origin}, with PostgreSQL of its own; it logs in with the two roles of \`leafvault roles\``);
  const doors = await openDoors(story, stage.leafvault.origin);

  story.chapter('A snapshot through the Atlas API, while the shop keeps selling');
  const taken = await backUpWhileSelling({ story, doors, client, before });
  story.chapter('The accident');
  await damage(story, client);
  story.chapter('Everything back, through a restore job');
  await restoreEverything({ story, doors, client, taken });
  await otherDoors(stage, taken, doors);

  story.table();
  story.say(`\n  ${((performance.now() - began) / 1000).toFixed(0)} seconds`);
  if (keep) await leave(stage);
  else await close();
}

async function otherDoors(stage: Stage, taken: Taken, doors: Awaited<ReturnType<typeof openDoors>>): Promise<void> {
  story.chapter('The same snapshot as a file, through the tenant API of Atlas v1.0');
  await downloadArchive({ story, doors, taken });
  story.chapter('A backup through Commvault, a download through Ops Manager');
  await backUpThroughCommvault({ story, doors });
  await restoreThroughOpsManager({ story, doors, taken, origin: stage.leafvault.origin });
}

async function leave(stage: Stage): Promise<void> {
  const rows = [
    ['Leafvault', stage.leafvault.origin], ['public key', KEY.publicKey], ['private key', KEY.privateKey],
    ['user', USER.name], ['password', USER.password], ['project', `${PROJECT.name}  ${PROJECT.id}`], ['cluster', `${CLUSTER.name}  ${CLUSTER.id}`],
    ['MongoDB', stage.mongo.adminUri], ['folder', stage.folder],
  ] as const;
  story.say('\n  Everything keeps running until you press Ctrl-C:\n');
  for (const [name, value] of rows) story.say(`  ${name.padEnd(13)}${value}`);
  isKept = true;
  await new Promise<never>(() => { setInterval(() => undefined, 60_000); });
}

function close(): Promise<void> {
  closing ??= (async () => {
    for (const each of closers) {
      try {
        await each();
      } catch (error) {
        story.failed(describe(error));
        process.exitCode = 1;
      }
    }
  })();
  return closing;
}

function describe(error: unknown): string {
  const lines: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) lines.push(at.message);
  return lines.length > 0 ? lines.join('\n  because ') : String(error);
}
