// Client id and secret as OAuth clients send them: HTTP Basic (each part form-encoded, as Go does and
// RFC 6749 says) or fields of the form.
export interface ClientCredentials { readonly clientId: string; readonly clientSecret: string }

/** `twice`: both ways at once, which RFC 6749 section 2.3 forbids. Null: neither way. */
export function readClientCredentials(authorization: string | undefined, form: ReadonlyMap<string, string>): ClientCredentials | 'twice' | null {
  const basic = readBasic(authorization ?? '');
  const clientSecret = form.get('client_secret');
  if (basic !== null) return clientSecret === undefined ? basic : 'twice';
  const clientId = form.get('client_id');
  return clientId === undefined || clientSecret === undefined ? null : { clientId, clientSecret };
}

/** A form body's fields; null when a field comes twice (RFC 6749 section 3.2). */
export function readForm(text: string): ReadonlyMap<string, string> | null {
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.has(name)) return null;
    fields.set(name, value);
  }
  return fields;
}

function readBasic(authorization: string): ClientCredentials | null {
  const encoded = /^basic +([A-Za-z0-9+/_-]+=*) *$/i.exec(authorization)?.[1];
  if (encoded === undefined) return null;
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon === -1) return null;
  return { clientId: unescapeForm(pair.slice(0, colon)), clientSecret: unescapeForm(pair.slice(colon + 1)) };
}

function unescapeForm(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    // A client that does not encode (curl -u) and has a lone `%` in its secret: taken as it is.
    return text;
  }
}
