// Ports for servers of tests. One that the system gives and takes back may be anybody's again before our server has it, or while
// it is down between two starts: of some hundred starts in a whole run that hit one in every few runs.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { freePort as anyFreePort } from '../../src/foundation/free-port.ts';

const HOST = '127.0.0.1';
const FIRST = 10_240;
/** Ports of a block: its first is its process's claim to the others. */
const BLOCK = 64;
const FEWEST_BLOCKS = 32;
/** Where Linux begins to give ports to whoever names none; other systems begin higher. */
const GIVEN_FROM = 32_768;

/** Ports that are left of this process's newest block. */
const left: number[] = [];
/** They hold the blocks as long as this process lives. */
const claims: Server[] = [];
let claiming: Promise<void> = Promise.resolve();

/** One of 127.0.0.1 that is free, that the system gives to nobody, and that no other caller gets, in this process or another. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = left.shift();
    if (port === undefined) {
      claiming = claiming.then(claimBlock);
      await claiming;
      if (left.length === 0) return anyFreePort();
    } else {
      const server = await listen(port);
      if (server === null) continue;
      server.close();
      await once(server, 'close');
      return port;
    }
  }
}

/** Leaves nothing in `left` where there is no room below the ports that the system gives, or none in it. */
async function claimBlock(): Promise<void> {
  if (left.length > 0) return;
  const blocks = Math.floor(((await givenFrom()) - FIRST) / BLOCK);
  if (blocks < FEWEST_BLOCKS) return;
  // Not the one that a process which ended just now had: whoever knew its servers may still ask for them.
  const start = Math.floor(Math.random() * blocks);
  for (let n = 0; n < blocks; n += 1) {
    const base = FIRST + ((start + n) % blocks) * BLOCK;
    const claim = await listen(base);
    if (claim === null) continue;
    claim.unref();
    claims.push(claim);
    for (let port = base + 1; port < base + BLOCK; port += 1) left.push(port);
    return;
  }
}

async function givenFrom(): Promise<number> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '');
  return range === '' ? GIVEN_FROM : Number.parseInt(range, 10);
}

/** Null: somebody has it. */
async function listen(port: number): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy()).listen(port, HOST);
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return null;
  }
}
