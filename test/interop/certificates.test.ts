/**
 * Our certificates in the eyes of other libraries, and our reading of names beside OpenSSL's.
 */

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { shortName } from '../../src/core/names/attribute-types.ts'
import { accessMapName } from '../../src/core/names/distinguished-name.ts'
import { parseCertificate } from '../../src/core/names/certificate.ts'
import { TAG } from '../../src/core/names/der-reader.ts'
import { initAuthority } from '../../src/io/authority-folder.ts'
import type { AuthorityRequest, KeyType } from '../../src/relay/admin.ts'
import { makeCertificate, makeName } from '../support/certificate-maker.ts'
import { mustRun, run } from '../support/processes.ts'
import { missing, program } from './programs.ts'

const KEY_TYPES = ['p256', 'rsa2048'] as const
const scratch = mkdtempSync(path.join(tmpdir(), 'postern-certificates-'))
const at = (name: string): string => path.join(scratch, name)

before(async () => {
  for (const keyType of KEY_TYPES) await makeFiles(keyType)
})

after(() => rmSync(scratch, { recursive: true }))

async function makeFiles(keyType: KeyType): Promise<void> {
  const location = { folder: at(keyType), passphrase: null, now: () => Date.now(), randomBytes: (size: number) => randomBytes(size) }
  const made = await initAuthority({ ...location, organisation: 'example.org', hostname: 'mail.example.org', caName: null, keyType })
  assert.ok(made.ok)
  const ask = async (request: AuthorityRequest) => {
    const result = await made.value.handle(request)
    return result.ok ? result.answer : assert.fail(result.problem)
  }
  const client = { do: 'issueClient', dnsNames: [], addresses: [], senders: [], keyType, days: 365, format: 'pem' } as const
  const answers = {
    server: await ask({ do: 'issueServer', names: ['mail.example.org', '192.0.2.7', '2001:db8::9'], keyType, days: 825 }),
    person: await ask({ ...client, name: 'joe', kind: 'person', addresses: ['joe@example.org'] }),
    machine: await ask({ ...client, name: 'web7', kind: 'machine', dnsNames: ['web7.example.org'] }),
  }
  await made.value.close()
  for (const [name, answer] of Object.entries(answers)) {
    const issued = answer.kind === 'issuedClient' ? answer.issued : answer
    writeFileSync(at(`${keyType}/${name}.pem`), 'certificatePem' in issued ? issued.certificatePem : assert.fail())
  }
}

const WHO = [
  { who: 'server', purpose: 'sslserver', not: 'sslclient' },
  { who: 'person', purpose: 'sslclient', not: 'sslserver' },
  { who: 'machine', purpose: 'sslclient', not: 'sslserver' },
] as const

for (const keyType of KEY_TYPES) {
  for (const { who, purpose, not } of WHO) {
    const file = at(`${keyType}/${who}.pem`)
    const verify = ['verify', '-x509_strict', '-CAfile', at(`${keyType}/ca.pem`), '-untrusted', file]

    test(`OpenSSL verifies a ${who} strictly, with ${keyType}`, { skip: missing('openssl') }, async () => {
      await mustRun(program('openssl'), [...verify, '-purpose', purpose, file])
      const refused = await run(program('openssl'), [...verify, '-purpose', not, file])
      assert.match(refused.stderr, /unsuitable certificate purpose/)
    })

    test(`GnuTLS verifies a ${who}, with ${keyType}`, { skip: missing('certtool') }, async () => {
      const purposeOid = who === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2'
      const result = await mustRun(program('certtool'), ['--verify', '--load-ca-certificate', at(`${keyType}/ca.pem`), '--infile', file, '--verify-purpose', purposeOid])
      assert.match(result, /Chain verification output: Verified\. The certificate is trusted\./)
    })
  }

  test(`the server has each of its names, with ${keyType}`, { skip: missing('openssl') }, async () => {
    const file = at(`${keyType}/server.pem`)
    const verify = ['verify', '-x509_strict', '-CAfile', at(`${keyType}/ca.pem`), '-untrusted', file]
    await mustRun(program('openssl'), [...verify, '-verify_hostname', 'mail.example.org', file])
    for (const address of ['192.0.2.7', '2001:db8::9']) await mustRun(program('openssl'), [...verify, '-verify_ip', address, file])
    assert.notEqual((await run(program('openssl'), [...verify, '-verify_hostname', 'other.example.org', file])).code, 0)
  })
}

test('a person has its addresses, and is for clients only', { skip: missing('openssl') }, async () => {
  const text = await mustRun(program('openssl'), ['x509', '-in', at('p256/person.pem'), '-noout', '-text'])
  assert.match(text, /X509v3 Subject Alternative Name: \n *email:joe@example\.org\n/)
  assert.match(text, /X509v3 Extended Key Usage: \n *TLS Web Client Authentication\n/)
  assert.match(text, /X509v3 Key Usage: critical\n *Digital Signature\n/)
  assert.match(text, /X509v3 Basic Constraints: critical\n *CA:FALSE\n/)
})

/** Every attribute type that has a name in our table; a newer OpenSSL may have names for more. */
const TYPES = [
  ...Array.from({ length: 110 }, (_, arc) => `2.5.4.${arc}`),
  ...Array.from({ length: 60 }, (_, arc) => `0.9.2342.19200300.100.1.${arc}`),
  ...Array.from({ length: 30 }, (_, arc) => `1.2.840.113549.1.9.${arc}`),
  ...Array.from({ length: 5 }, (_, arc) => `1.3.6.1.4.1.311.60.2.1.${arc}`),
  '1.2.643.3.131.1.1',
  ...Array.from({ length: 6 }, (_, arc) => `1.2.643.100.${arc}`),
].filter(type => shortName(type) !== null)

test('attribute types have the names that OpenSSL 3 gives them', { skip: missing('openssl') }, async () => {
  assert.match(await mustRun(program('openssl'), ['version']), /^OpenSSL 3/)
  assert.ok(TYPES.length > 120)
  const differences: string[] = []
  // A few at a time: a name has room for 255 bytes.
  for (let first = 0; first < TYPES.length; first += 5) {
    const name = makeName(TYPES.slice(first, first + 5).map(type => [{ type, tag: TAG.utf8String, value: Buffer.from('x') }]))
    const { pem, der } = makeCertificate({ subject: name })
    const printed = await mustRun(program('openssl'), ['x509', '-noout', '-subject', '-nameopt', 'compat'], { input: pem })
    const parsed = parseCertificate(der)
    const ours = parsed.ok ? accessMapName(parsed.value.subject).text : parsed.problem
    if (printed !== `subject=${ours}\n`) differences.push(`OpenSSL ${printed.trim()} ours ${ours}`)
  }
  assert.deepEqual(differences, [])
})
