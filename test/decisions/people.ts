/** The people, machines and strangers of the decision tests, by the name a test file calls them. */

import type { CertificateProblem, ClientIdentity, Holder, PeerCertificate } from '../../src/core/names/identity.ts'
import type { Authentication } from '../../src/core/policy/decision.ts'
import { certificateNamed, tls, verifiedAs } from '../support/identities.ts'

export type Caller = { readonly identity: ClientIdentity; readonly authentication: Authentication | null }

/** `joe`, `revoked joe`, `printer`, `password`, `nobody`; see the table. */
export function callerNamed(name: string): Caller {
  const caller = CALLERS[name]
  if (caller === undefined) throw new Error(`nobody is called "${name}"; there are ${Object.keys(CALLERS).join(', ')}`)
  return caller
}

function verified(presented: PeerCertificate, holder: Holder | null): Caller {
  return { identity: verifiedAs(holder, presented), authentication: null }
}

function unverified(problem: CertificateProblem, changes: Partial<PeerCertificate> = {}): Caller {
  return { identity: { kind: 'unverified', tls, certificate: certificateNamed('joe', changes), problem }, authentication: null }
}

const joe: Holder = { name: 'joe', kind: 'person', senders: ['joe@example.org', '@joe.example'] }
const password: Authentication = { mechanism: 'PLAIN', authenticationId: 'joe', authorizationId: '', securityLayerBits: 0 }

/** A password of one of our holders, and whatever certificate was shown beside it. */
function withPassword(holder: Holder, shown: ClientIdentity = { kind: 'anonymous', tls }): Caller {
  const named = certificateNamed(holder.name, { fingerprint: '', keyFingerprint: '', addresses: holder.senders.filter(sender => !sender.startsWith('@')) })
  const account = { holder, device: 'phone', passwordId: 'p1', endsAt: null, certificate: named }
  return { identity: shown, authentication: { mechanism: 'SCRAM-SHA-256', authenticationId: holder.name, authorizationId: holder.name, securityLayerBits: 0, account } }
}

const CALLERS: Readonly<Record<string, Caller>> = {
  plaintext: { identity: { kind: 'plaintext' }, authentication: null },
  nobody: { identity: { kind: 'anonymous', tls }, authentication: null },
  joe: verified(certificateNamed('joe'), joe),
  jane: verified(certificateNamed('jane'), { name: 'jane', kind: 'person', senders: [] }),
  printer: verified(certificateNamed('printer'), { name: 'printer', kind: 'machine', senders: [] }),
  scanner: verified(certificateNamed('scanner'), { name: 'scanner', kind: 'machine', senders: ['scan@example.org'] }),
  partner: verified(certificateNamed('gw', { subject: '/O=Partner/CN=gw', issuer: '/O=Partner/CN=Partner+20CA', addresses: ['gw@partner.example'] }), null),
  'joe on his phone': verified(certificateNamed('joe', { fingerprint: 'ab'.repeat(32), keyFingerprint: 'cd'.repeat(32), addresses: ['joe@example.org'] }), joe),
  web7: verified(certificateNamed('web7.example.org', { dnsNames: ['web7.example.org', 'www.example.org'] }), { name: 'web7', kind: 'machine', senders: [] }),
  'a container': verified(
    certificateNamed('mailer.web7.example.org', {
      subject: '/O=Example/OU=Containers/CN=mailer.web7.example.org',
      keyFingerprint: 'dd'.repeat(32),
      uris: ['spiffe://example.org/mailer'],
    }),
    { name: 'mailer', kind: 'machine', senders: [] },
  ),
  'partner with our names': verified(
    certificateNamed('gw', {
      subject: '/O=Partner/CN=gw',
      issuer: '/O=Partner/CN=Partner+20CA',
      keyFingerprint: 'cc'.repeat(32),
      addresses: ['joe@example.org'],
      dnsNames: ['web7.example.org'],
    }),
    null,
  ),
  nameless: verified(certificateNamed('', { subject: '' }), { name: 'nameless', kind: 'machine', senders: [] }),
  'cut short': verified(certificateNamed('long', { ambiguousNames: ['subject'] }), { name: 'long', kind: 'machine', senders: [] }),
  'revoked joe': unverified({ kind: 'revoked', since: Date.UTC(2026, 10, 1), holder: 'joe' }),
  'expired joe': unverified({ kind: 'expired', since: Date.UTC(2026, 9, 1) }, { notAfter: Date.UTC(2026, 9, 1) }),
  'early joe': unverified({ kind: 'notYetValid', until: Date.UTC(2027, 0, 1) }),
  'web server': unverified({ kind: 'wrongPurpose' }),
  'unknown joe': unverified({ kind: 'notInIndex' }),
  impostor: unverified({ kind: 'lookalikeIssuer' }),
  'the CA': unverified({ kind: 'isAuthority' }),
  stranger: unverified(
    { kind: 'untrusted', detail: 'unable to get local issuer certificate' },
    { subject: '/CN=mail.stranger.example', issuer: '/C=US/O=Public/CN=Public+20CA' },
  ),
  'joe by password': withPassword(joe),
  'scanner by password': withPassword({ name: 'scanner', kind: 'machine', senders: ['scan@example.org'] }),
  'joe by both': withPassword(joe, verified(certificateNamed('joe'), joe).identity),
  "jane's certificate with joe's password": withPassword(joe, verified(certificateNamed('jane'), { name: 'jane', kind: 'person', senders: [] }).identity),
  'revoked joe by password': withPassword(joe, unverified({ kind: 'revoked', since: Date.UTC(2026, 10, 1), holder: 'joe' }).identity),
  password: { identity: { kind: 'anonymous', tls }, authentication: password },
  'stranger with password': { ...unverified({ kind: 'untrusted', detail: 'self-signed certificate' }), authentication: password },
  'joe by EXTERNAL': { ...verified(certificateNamed('joe'), joe), authentication: { ...password, mechanism: 'EXTERNAL' } },
  'joe by EXTERNAL, since revoked': {
    ...unverified({ kind: 'revoked', since: Date.UTC(2026, 10, 1), holder: 'joe' }),
    authentication: { ...password, mechanism: 'EXTERNAL' },
  },
}
