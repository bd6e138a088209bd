// XXH64 written out with BigInt from its public description: an oracle that shares nothing with the kernel.
const M = (1n << 64n) - 1n;
const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (64n - by))) & M;
const round = (acc: bigint, input: bigint): bigint => (rotate((acc + input * P2) & M, 31n) * P1) & M;

export function xxh64(bytes: Uint8Array, seed: bigint): bigint {
  const view = Buffer.from(bytes);
  let at = 0;
  let h = (seed + P5) & M;
  if (view.length >= 32) {
    const v = [seed + P1 + P2, seed + P2, seed, seed - P1].map((lane) => lane & M);
    for (; at + 32 <= view.length; at += 32) for (let i = 0; i < 4; i += 1) v[i] = round(v[i]!, view.readBigUInt64LE(at + i * 8));
    h = (rotate(v[0]!, 1n) + rotate(v[1]!, 7n) + rotate(v[2]!, 12n) + rotate(v[3]!, 18n)) & M;
    for (const lane of v) h = ((h ^ round(0n, lane)) * P1 + P4) & M;
  }
  h = (h + BigInt(view.length)) & M;
  for (; at + 8 <= view.length; at += 8) h = (rotate(h ^ round(0n, view.readBigUInt64LE(at)), 27n) * P1 + P4) & M;
  if (at + 4 <= view.length) {
    h = (rotate(h ^ ((BigInt(view.readUInt32LE(at)) * P1) & M), 23n) * P2 + P3) & M;
    at += 4;
  }
  for (; at < view.length; at += 1) h = (rotate(h ^ ((BigInt(view[at]!) * P5) & M), 11n) * P1) & M;
  h = ((h ^ (h >> 33n)) * P2) & M;
  h = ((h ^ (h >> 29n)) * P3) & M;
  return h ^ (h >> 32n);
}
