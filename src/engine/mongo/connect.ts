// Opens a client and says in words why it can't: dead host, wrong password, bad connection string. Never a secret.
import { MongoClient, MongoParseError, MongoServerError, MongoServerSelectionError, type MongoClientOptions, type ServerHeartbeatSucceededEvent } from 'mongodb';
import { throwIfAborted } from '../../foundation/abort.ts';
import { describeError, LeafvaultError } from '../../foundation/errors.ts';
import { redactUri } from '../../foundation/redact.ts';
import { directUri, hostsOfUri, userOfUri } from './connection-string.ts';

/** Which end of the work a connection is; begins the codes of its errors. */
export type Side = 'SOURCE' | 'TARGET';

export interface ConnectOptions {
  readonly side?: Side;
  readonly signal?: AbortSignal;
  /** How long to look for a server that answers; 5 s by default. */
  readonly selectionTimeoutMs?: number;
  readonly driver?: MongoClientOptions;
}

const AUTH_CODES = new Set([11, 18, 33, 8000]);

/**
 * A connected client that has answered a ping. Fails within seconds when no host answers or the login is refused.
 * @throws LeafvaultError {SOURCE,TARGET}_URI_INVALID, _UNREACHABLE, _SET_NAME_OTHER, _AUTH_FAILED
 */
export async function connect(uri: string, options: ConnectOptions = {}): Promise<MongoClient> {
  const side = options.side ?? 'SOURCE';
  throwIfAborted(options.signal);
  const client = makeClient(uri, side, options);
  const names = watchSetNames(client);
  const onAbort = (): void => void client.close(true).catch(() => undefined);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await client.connect();
    // A command takes no read preference from its client: without this one a set that has no primary does not answer.
    await client.db('admin').command({ ping: 1 }, { readPreference: client.readPreference });
    throwIfAborted(options.signal);
    return client;
  } catch (cause) {
    // The first failure counts; a failed close leaves nothing that this process could use.
    await client.close(true).catch(() => undefined);
    throwIfAborted(options.signal);
    throw names.failure(cause, uri, side) ?? asConnectError(cause, uri, side);
  } finally {
    names.end();
    options.signal?.removeEventListener('abort', onAbort);
  }
}

/**
 * A client for one member of the deployment that `seed` belongs to, with the same login and TLS.
 * @param member `host:port`
 */
export async function connectToMember(uri: string, seed: MongoClient, member: string, options: ConnectOptions = {}): Promise<MongoClient> {
  const { tls, credentials } = seed.options;
  return connect(directUri(uri, member, { tls, authSource: credentials?.source ?? null }), options);
}

/** Says in the family's words why talking to a server failed. */
export function asConnectError(cause: unknown, uri: string, side: Side = 'SOURCE'): LeafvaultError {
  const hosts = hostsOfUri(uri);
  const named = hosts.length === 0 ? 'the server' : hosts.join(', ');
  if (isAuthFailure(cause)) {
    return new LeafvaultError(`${side}_AUTH_FAILED`, `Logging in to ${named} as ${userOfUri(uri) ?? 'nobody'} failed: the server refused the credentials`, {
      cause: withoutSecrets(cause),
      details: { hosts, user: userOfUri(uri) },
      hint: 'Check user, password and authSource of the connection string',
    });
  }
  if (cause instanceof MongoParseError || (cause instanceof Error && cause.name === 'MongoInvalidArgumentError')) return asUriError(cause, uri, side);
  return new LeafvaultError(`${side}_UNREACHABLE`, `Connecting to ${named} failed: ${reasonOf(cause)}`, {
    details: { hosts },
    hint: 'Check that the hosts are right, that MongoDB runs there and that a firewall lets this machine in',
    retryable: true,
  });
}

/**
 * Notes which replica sets answer. Members of another set than `replicaSet=` names are dropped by the driver without a word, and then it
 * says only that its time was over.
 */
function watchSetNames(client: MongoClient): { failure(cause: unknown, uri: string, side: Side): LeafvaultError | null; end(): void } {
  const asked = client.options.replicaSet;
  const found = new Set<string>();
  const note = ({ reply }: ServerHeartbeatSucceededEvent): void => void found.add(typeof reply.setName === 'string' ? reply.setName : '');
  if (asked !== undefined && asked !== '') client.on('serverHeartbeatSucceeded', note);
  return {
    failure(cause, uri, side) {
      if (!(cause instanceof MongoServerSelectionError) || found.size === 0 || found.has(asked ?? '')) return null;
      const hosts = hostsOfUri(uri);
      const others = [...found].filter((name) => name !== '');
      const words = others.length === 0 ? 'it is no member of a replica set' : `it belongs to the replica set ${others.join(' or ')}`;
      return new LeafvaultError(`${side}_SET_NAME_OTHER`, `Connecting to ${hosts.join(', ')} failed: replicaSet=${asked} was asked for, and what answers says that ${words}`, {
        details: { hosts, asked, found: others },
        hint: others.length === 0 ? 'Leave replicaSet= out of the connection string, or name a member of the set' : `Write replicaSet=${others[0]} into the connection string, or name the hosts of ${asked}`,
      });
    },
    end: () => void client.off('serverHeartbeatSucceeded', note),
  };
}

function asUriError(cause: unknown, uri: string, side: Side): LeafvaultError {
  const hosts = hostsOfUri(uri);
  const reason = redactUri(describeError(cause));
  return new LeafvaultError(`${side}_URI_INVALID`, `Reading the connection string${hosts.length === 0 ? '' : ` for ${hosts.join(', ')}`} failed: ${reason}`, {
    details: { reason },
    hint: 'It has the form mongodb://user:password@host:port/?options; special characters in user and password are percent-encoded',
  });
}

function makeClient(uri: string, side: Side, options: ConnectOptions): MongoClient {
  const timeoutMs = options.selectionTimeoutMs ?? 5_000;
  try {
    return new MongoClient(uri, {
      appName: 'leafvault',
      serverSelectionTimeoutMS: timeoutMs,
      connectTimeoutMS: timeoutMs,
      heartbeatFrequencyMS: 2_000,
      maxPoolSize: 32,
      readPreference: 'secondaryPreferred',
      ...options.driver,
    });
  } catch (cause) {
    throw asUriError(cause, uri, side);
  }
}

function isAuthFailure(error: unknown): boolean {
  if (error instanceof MongoServerError && typeof error.code === 'number' && AUTH_CODES.has(error.code)) return true;
  return error instanceof Error && error.cause !== undefined && isAuthFailure(error.cause);
}

/** The texts of an error and its causes, each once (the driver repeats the first one at every level). */
function reasonOf(cause: unknown): string {
  return [...new Set(redactUri(describeError(cause)).split(': '))].join(': ');
}

/** A cause that may be logged: driver errors can carry the options, and so the password. */
function withoutSecrets(cause: unknown): Error {
  const kept = new Error(reasonOf(cause));
  if (cause instanceof Error) kept.name = cause.name;
  return kept;
}
