// Where tokens stand on a request: OAuth in `Authorization: Bearer`, Commvault's in `Authtoken` with or without
// a scheme word, or (its MCP server) in `Authorization: Bearer` as well.
import type { IncomingHttpHeaders } from 'node:http';

const BEARER = /^bearer +([^\s]+) *$/i;
const AUTHTOKEN = /^(?:(?:QSDK|Bearer) +)*([0-9a-zA-Z._-]+) *$/i;

/** The token of an `Authorization: Bearer` header, or null. */
export function bearerToken(headers: IncomingHttpHeaders): string | null {
  return BEARER.exec(headers.authorization ?? '')?.[1] ?? null;
}

/** Commvault's session token, or null when there is none. Prefix words are stripped. */
export function sessionToken(headers: IncomingHttpHeaders): string | null {
  const header = headers.authtoken;
  const value = Array.isArray(header) ? header[0] : header;
  if (value !== undefined && value.trim() !== '') return AUTHTOKEN.exec(value.trim())?.[1] ?? '';
  return bearerToken(headers);
}
