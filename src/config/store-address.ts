// Options of a store, written into its address: from there on the address says everything.

export const LOCK_MODES = ['governance', 'compliance'] as const;

export interface StoreOptions {
  /** Of the AWS files, whose credentials are used. */
  readonly profile?: string | undefined;
  readonly objectLock?: { readonly mode: (typeof LOCK_MODES)[number]; readonly days: number } | undefined;
}

/** @returns the address with its options, or what is wrong with them */
export function withStoreOptions(store: string, { profile, objectLock }: StoreOptions): { readonly address: string } | { readonly problem: string } {
  const options = [
    ...(profile === undefined ? [] : [['profile', profile] as const]),
    ...(objectLock === undefined ? [] : [['objectLock', `${objectLock.mode}:${objectLock.days}`] as const]),
  ];
  if (options.length === 0) return { address: store };
  if (!store.startsWith('s3:')) return { problem: `${options.map(([name]) => name).join(' and ')} is for a bucket (s3://…), and ${store} is none` };
  const given = new URLSearchParams(store.split('?')[1] ?? '');
  const twice = options.find(([name]) => given.has(name));
  if (twice !== undefined) return { problem: `${twice[0]} is said twice: in the address and beside it` };
  return { address: `${store}${store.includes('?') ? '&' : '?'}${options.map(([name, value]) => `${name}=${encodeURIComponent(value).replace('%3A', ':')}`).join('&')}` };
}
