import assert from 'node:assert/strict'
import { X509Certificate, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import tls from 'node:tls'
import { certificateAuthority, makeCertificate, rsaKeys, simpleName } from '../../test/support/certificate-maker.ts'
import { encodePkcs12, oneTimePassword } from './pkcs12.ts'
import type { Pkcs12Kind } from './pkcs12.ts'

const authority = makeCertificate({ subject: simpleName(['2.5.4.3', 'Example CA']), extensions: certificateAuthority() })
const joe = makeCertificate({ subject: simpleName(['2.5.4.3', 'joe']), issuer: authority })
const authorities = [{ certificate: authority.der, name: 'Example CA' }]

function fileOf(kind: Pkcs12Kind, password: string, made = joe): Buffer {
  const privateKey = made.keys.privateKey.export({ type: 'pkcs8', format: 'der' })
  return Buffer.from(encodePkcs12({ kind, privateKey, certificate: made.der, authorities, name: 'joe', password, randomBytes }))
}

for (const kind of ['compatible', 'modern'] as const) {
  for (const password of ['secret', '', 'pässwörd', 'x'.repeat(200)]) {
    test(`a ${kind} file opens with ${JSON.stringify(password.slice(0, 10))} and with nothing else`, () => {
      const pfx = fileOf(kind, password)
      assert.doesNotThrow(() => tls.createSecureContext({ pfx, passphrase: password }))
      assert.throws(() => tls.createSecureContext({ pfx, passphrase: `${password}x` }), /mac verify failure/)
    })
  }

  test(`a ${kind} file that was changed anywhere does not open`, () => {
    const pfx = fileOf(kind, 'secret')
    for (let at = 40; at < pfx.length; at += 97) {
      const changed = Buffer.from(pfx)
      changed[at] = (changed[at] ?? 0) ^ 1
      assert.throws(() => tls.createSecureContext({ pfx: changed, passphrase: 'secret' }), `byte ${at}`)
    }
  })

  test(`a ${kind} file with an RSA key opens`, () => {
    const made = makeCertificate({ subject: simpleName(['2.5.4.3', 'old']), issuer: authority, keys: rsaKeys(2048) })
    assert.doesNotThrow(() => tls.createSecureContext({ pfx: fileOf(kind, 'secret', made), passphrase: 'secret' }))
  })
}

test('the two kinds are what they say', () => {
  const tripleDes = Buffer.from('060a2a864886f70d010c0103', 'hex')
  const pbes2 = Buffer.from('06092a864886f70d01050d', 'hex')
  assert.deepEqual(['compatible', 'modern'].map(kind => fileOf(kind as Pkcs12Kind, 'secret').includes(tripleDes)), [true, false])
  assert.deepEqual(['compatible', 'modern'].map(kind => fileOf(kind as Pkcs12Kind, 'secret').includes(pbes2)), [false, true])
})

test('nothing in a file is in the clear', () => {
  for (const kind of ['compatible', 'modern'] as const) {
    const pfx = fileOf(kind, 'secret')
    assert.equal(pfx.includes(Buffer.from(joe.der).subarray(10, 60)), false)
    assert.equal(new X509Certificate(joe.der).subject, 'CN=joe')
  }
})

test('S25: a one-time password has more than 100 bits and is easy to type', () => {
  const passwords = new Set(Array.from({ length: 200 }, () => oneTimePassword(randomBytes)))
  assert.equal(passwords.size, 200)
  for (const password of passwords) assert.match(password, /^(?:[a-hjkmnp-z2-9]{4}-){5}[a-hjkmnp-z2-9]{4}$/)
  const alphabet = new Set([...passwords].join('').replaceAll('-', ''))
  assert.equal(alphabet.size, 31)
  assert.ok(24 * Math.log2(alphabet.size) > 100)
})

test('each character of a password is as likely as the others', () => {
  // A source that gives every byte once: whatever is not even here would favour some characters.
  let at = 0
  const everyByte = (size: number): Uint8Array => Uint8Array.from({ length: size }, () => at++ % 256)
  const text = Array.from({ length: 248 }, () => oneTimePassword(everyByte)).join('').replaceAll('-', '')
  const counts = Object.values(Object.groupBy([...text], character => character)).map(characters => characters?.length ?? 0)
  assert.ok(Math.max(...counts) - Math.min(...counts) <= Math.min(...counts) * 0.1, String(counts))
})
