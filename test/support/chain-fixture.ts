// Chains for tests.
import { randomBytes } from 'node:crypto';
import type { ChainWriter, NewSlice, Repository, Slice } from '../../src/repository/index.ts';
import { collect } from './repository-fixture.ts';

export const START = '65a0000000000000';

/** The position that lies `steps` behind the start. */
export function position(steps: number): string {
  return (BigInt(`0x${START}`) + BigInt(steps)).toString(16).padStart(16, '0');
}

/** A slice of that number: of a chain that begins at the start and goes ten steps further with each. */
export function newSlice(sequence: number, raw: Buffer = randomBytes(200)): NewSlice {
  return { to: position(sequence * 10), records: 3, raw, body: { lastEntry: `entry ${sequence}` } };
}

export async function beginChain(repository: Repository, series: string = 'test'): Promise<ChainWriter> {
  return repository.chains.begin({ series, from: START, body: { replicaSetId: 'r1' } });
}

/** Adds slices from the writer's next number on. */
export async function appendSlices(writer: ChainWriter, raws: readonly Buffer[]): Promise<Slice[]> {
  const slices: Slice[] = [];
  for (const raw of raws) slices.push(await writer.append(newSlice((writer.last?.sequence ?? 0) + 1, raw)));
  return slices;
}

export async function rawsOf(repository: Repository, chainId: string): Promise<Buffer[]> {
  return (await collect(repository.chains.read(chainId))).map(({ raw }) => raw);
}

export function numberName(chainId: string, sequence: number): string {
  return `oplog/${chainId}/${String(sequence).padStart(10, '0')}`;
}
