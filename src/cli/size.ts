// Bytes for people.

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

export function size(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, Math.abs(bytes))) / 10));
  return power === 0 ? `${bytes} bytes` : `${(bytes / 2 ** (10 * power)).toFixed(1)} ${UNITS[power]}`;
}
