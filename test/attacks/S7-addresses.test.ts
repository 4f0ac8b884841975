/**
 * S7, S20: an address that a trusted CA signed gives that address, and nothing around it.
 *
 * The CA is a partner's, in client-ca, and lets its holders relay. What it writes into rfc822Name is
 * held against who they may send as, in the envelope, in the header and after AUTH EXTERNAL.
 */

import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { ClientIdentity } from '../../src/core/names/identity.ts'
import { decide } from '../../src/core/policy/decide.ts'
import type { Question } from '../../src/core/policy/decision.ts'
import { external } from '../../src/core/sasl/external.ts'
import { address, alternativeNames, certificateAuthority, makeCertificate, purposes, simpleName } from '../support/certificate-maker.ts'
import { CLIENT_AUTH, identityAfterHandshake } from '../support/handshakes.ts'
import { policyWith } from '../support/policies.ts'

const O = '2.5.4.10'
const CN = '2.5.4.3'
const partner = makeCertificate({ subject: simpleName([O, 'Partner'], [CN, 'Partner CA']), extensions: certificateAuthority() })
const policy = { ...policyWith('CERTISSUER:/O=Partner/CN=Partner+20CA RELAY\n'), senderBinding: 'enforce', headerFromBinding: 'enforce' } as const

async function named(...names: readonly string[]): Promise<ClientIdentity> {
  const extensions = [purposes(CLIENT_AUTH), alternativeNames(...names.map(address))]
  const certificate = makeCertificate({ subject: simpleName([CN, 'eve']), issuer: partner, extensions })
  const identity = await identityAfterHandshake({ own: [], foreign: [partner], index: { live: new Map(), revoked: new Map() } }, { certificate }, 'TLSv1.3')
  return typeof identity === 'string' ? assert.fail(identity) : identity
}

/** May it send from, write as, and act as this address? */
function may(identity: ClientIdentity, wanted: string): { readonly send: boolean; readonly write: boolean; readonly act: boolean } {
  const asker = { listener: 'mx', host: { address: '192.0.2.7', name: { resolve: 'FAIL' } }, hello: 'c.test', identity, authentication: null } as const
  const accepts = (question: Question): boolean => {
    const answer = decide(policy, question, { domainExists: new Map([[wanted.slice(wanted.lastIndexOf('@') + 1), 'yes']]), isMxFor: new Map() }, 'D1')
    return answer.kind === 'decided' && answer.decision.verdict === 'accept'
  }
  const script = external(identity)
  script.next()
  const acted = script.next({ kind: 'responded', octets: Buffer.from(wanted) })
  return {
    send: accepts({ kind: 'recipient', asker, reversePath: wanted, forwardPath: 'ann@elsewhere.test' }),
    write: accepts({ kind: 'authors', asker, reversePath: wanted, authors: { from: [wanted], sender: [], fault: null } }),
    act: acted.done === true && acted.value.ok,
  }
}

const EVERYTHING = { send: true, write: true, act: true }
const NOTHING = { send: false, write: false, act: false }

let eve: ClientIdentity
before(async () => {
  eve = await named('eve@example.org')
})

test('S7: the address that is named, in any case', () => {
  assert.deepEqual(may(eve, 'eve@example.org'), EVERYTHING)
  assert.deepEqual(may(eve, 'Eve@EXAMPLE.org'), EVERYTHING)
  assert.deepEqual(may(eve, 'boss@example.org'), NOTHING)
})

for (const name of ['@example.org', '@example.org:boss@example.org', '@a.test,@b.test:boss@example.org', '@', 'example.org', 'boss', '*@example.org', 'boss@example.org.', '"boss"@example.org', 'b\\oss@example.org', 'eve@x.test@example.org']) {
  test(`S7: ${name} gives nobody's address`, async () => {
    const identity = await named(name)
    assert.equal(identity.kind, 'verified')
    assert.deepEqual(may(identity, 'boss@example.org'), NOTHING)
    assert.deepEqual(may(await named('eve@example.org', name), 'boss@example.org'), NOTHING, 'beside a good one')
  })
}
