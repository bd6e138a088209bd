import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digestChallenge, NONCE_LIFETIME_MS, verifyDigest } from '../../../src/http/auth/digest.ts';
import { digestAnswer, nonceOf, type DigestOverrides } from '../../support/digest-client.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { identityInMemory } from '../../support/identity-in-memory.ts';

const TARGET = '/api/atlas/v2/groups?pageNum=1&itemsPerPage=100';

function setUp() {
  const identity = identityInMemory();
  const clock = fakeClock();
  const challenge = (): string => nonceOf(digestChallenge(identity, clock, false));
  const verify = (header: string, target = TARGET, method = 'GET') => verifyDigest(identity, clock, { method, target, header });
  return { identity, clock, challenge, verify };
}

function answer(nonce: string, overrides: DigestOverrides = {}): string {
  return digestAnswer(nonce, { uri: TARGET, ...overrides });
}

describe('digestChallenge', () => {
  test('is written exactly as the field knows it', () => {
    const { identity, clock } = setUp();
    assert.match(digestChallenge(identity, clock, false), /^Digest realm="MMS Public API", domain="", nonce="[A-Za-z0-9+/]{32}", algorithm=MD5, qop="auth", stale=false$/);
    assert.match(digestChallenge(identity, clock, true), /, stale=true$/);
  });
});

describe('verifyDigest', () => {
  test('proves a right answer with qop=auth', async () => {
    const { verify, challenge } = setUp();
    const outcome = await verify(answer(challenge()));
    assert.ok(outcome.ok);
    assert.equal(outcome.principal.name, 'abcdefgh');
  });

  test('proves the form without qop, each nonce once', async () => {
    const { verify, challenge } = setUp();
    const header = answer(challenge(), { qop: null });
    assert.equal((await verify(header)).ok, true);
    assert.deepEqual(await verify(header), { ok: false, reason: 'stale' });
  });

  test('takes any count with any nonce, each pair once and in any order', async () => {
    const { verify, challenge } = setUp();
    const nonce = challenge();
    for (const nc of ['00000007', '00000002', 'ffffffff', '00000001']) assert.equal((await verify(answer(nonce, { nc }))).ok, true, nc);
    assert.deepEqual(await verify(answer(nonce, { nc: '00000002' })), { ok: false, reason: 'stale' });
    assert.deepEqual(await verify(answer(nonce, { nc: '2' })), { ok: false, reason: 'stale' }, 'the same count written otherwise');
  });

  test('lets one of many equal requests through when they race', async () => {
    const { verify, challenge } = setUp();
    const header = answer(challenge());
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => verify(header)));
    assert.equal(outcomes.filter(({ ok }) => ok).length, 1);
  });

  test('says stale to a right answer once the nonce has expired', async () => {
    const { verify, challenge, clock, identity } = setUp();
    const header = answer(challenge());
    clock.advance(NONCE_LIFETIME_MS - 1);
    const early = answer(challenge());
    clock.advance(1);
    assert.deepEqual(await verify(header), { ok: false, reason: 'stale' });
    assert.equal(identity.taken.size, 0);
    assert.equal((await verify(early)).ok, true);
  });

  test('does not say stale to a wrong answer with an expired nonce', async () => {
    const { verify, challenge, clock } = setUp();
    const header = answer(challenge(), { password: 'guess' });
    clock.advance(NONCE_LIFETIME_MS);
    assert.deepEqual(await verify(header), { ok: false, reason: 'invalid' });
  });

  test('does not use up a count for a wrong answer', async () => {
    const { verify, challenge, identity } = setUp();
    const nonce = challenge();
    await verify(answer(nonce, { password: 'guess' }));
    assert.equal(identity.taken.size, 0);
    assert.equal((await verify(answer(nonce))).ok, true);
  });

  const wrong: readonly (readonly [string, DigestOverrides])[] = [
    ['a wrong secret', { password: 'guess' }], ['an unknown key', { username: 'zzzzzzzz' }], ['another realm', { realm: 'Other' }],
    ['the uri of another request', { uri: '/api/atlas/v2/orgs' }], ['another method', { method: 'DELETE' }], ['auth-int', { qop: 'auth-int' }],
    ['another algorithm', { algorithm: 'SHA-256' }], ['MD5-sess', { algorithm: 'MD5-sess' }], ['a count that is no number', { nc: 'zz' }],
    ['a count too long', { nc: '000000001' }], ['an empty cnonce', { cnonce: '' }], ['a response too short', { response: 'ab' }],
  ];
  for (const [what, overrides] of wrong) {
    test(`refuses ${what}`, async () => {
      const { verify, challenge } = setUp();
      assert.deepEqual(await verify(answer(challenge(), overrides)), { ok: false, reason: 'invalid' });
    });
  }

  test('refuses a nonce of its own making by a client', async () => {
    const { verify } = setUp();
    assert.deepEqual(await verify(answer('dGhpcyBpcyBub3QgYSByZWFsIG5vbmNl')), { ok: false, reason: 'invalid' });
  });

  test('refuses a nonce signed by another installation', async () => {
    const { verify } = setUp();
    assert.deepEqual(await verify(answer(setUp().challenge())), { ok: false, reason: 'invalid' });
  });

  test('refuses qop without its count', async () => {
    const { verify, challenge } = setUp();
    assert.deepEqual(await verify(answer(challenge()).replace(', nc=00000001', '')), { ok: false, reason: 'invalid' });
  });
});
