import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isAccessListEntry, isAddressAllowed, plainAddress } from '../../src/foundation/access-list.ts';

describe('isAddressAllowed', () => {
  const cases: readonly (readonly [readonly string[], string, boolean])[] = [
    [[], '203.0.113.7', true],
    [['203.0.113.7'], '203.0.113.7', true],
    [['203.0.113.7/32'], '203.0.113.8', false],
    [['203.0.113.0/24'], '203.0.113.255', true],
    [['203.0.113.0/24'], '203.0.114.0', false],
    [['0.0.0.0/0'], '198.51.100.1', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['127.0.0.1/32'], '::ffff:127.0.0.1', true],
    [['2001:db8::/32'], '2001:db8:ffff::1', true],
    [['2001:db8::/32'], '2001:db9::1', false],
    [['::1'], '::1', true],
    [['::1'], '127.0.0.1', false],
    [['fe80::/10'], 'fe80::1%eth0', true],
    [['::ffff:10.0.0.0/104'], '10.1.2.3', true],
    [['::ffff:10.0.0.0/104'], '11.1.2.3', false],
    [['nonsense', '10.0.0.0/8'], '10.0.0.1', true],
    [['nonsense'], '10.0.0.1', false],
    [['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/-1'], '10.0.0.1', false],
    [['10.0.0.0/8'], 'not an address', false],
  ];
  for (const [list, address, allowed] of cases) {
    test(`${allowed ? 'takes' : 'refuses'} ${address} with [${list.join(', ')}]`, () => assert.equal(isAddressAllowed(list, address), allowed));
  }

  test('agrees with bit arithmetic for every IPv4 block', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 32 }), (a, b, bits) => {
      const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
      assert.equal(isAddressAllowed([`${dotted(a)}/${bits}`], dotted(b)), (a & mask) === (b & mask));
    }));
  });
});

describe('isAccessListEntry', () => {
  test('knows addresses and blocks from anything else', () => {
    assert.deepEqual(['10.0.0.1', '10.0.0.0/8', '::/0'].map(isAccessListEntry), [true, true, true]);
    assert.deepEqual(['', 'localhost', '10.0.0.0/40', '1.2.3', '10.0.0.1/8/8'].map(isAccessListEntry), [false, false, false, false, false]);
  });
});

describe('plainAddress', () => {
  test('writes a mapped address as IPv4', () => {
    assert.equal(plainAddress('::FFFF:192.0.2.1'), '192.0.2.1');
    assert.equal(plainAddress('2001:db8::1'), '2001:db8::1');
  });
});

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}
