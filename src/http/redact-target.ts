// Request targets as a log may show them.

/** The path without its query, and without the secret of a download address. */
export function redactTarget(target: string): string {
  const path = target.split('?', 1)[0] ?? '';
  return path.replace(/^(\/+backup\/+restore\/+[^/]*\/+pull\/+[^/]*\/+).*$/i, '$1***');
}
