import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { octetString, sequence } from '../core/pki/der-writer.ts'
import { openKeyPem, sealWithPbes2, sealedKeyPem } from './sealing.ts'

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' })
const plainPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

test('a sealed key opens with its passphrase, of any script', () => {
  const passphrase = 'pässwörd 山田'
  const opened = openKeyPem(sealedKeyPem(pkcs8, passphrase, randomBytes), passphrase)
  assert.ok(opened.ok && opened.value.equals(privateKey))
})

test('a key that is not sealed needs no passphrase, and minds none', () => {
  for (const passphrase of [null, 'anything']) {
    const opened = openKeyPem(plainPem, passphrase)
    assert.ok(opened.ok && opened.value.equals(privateKey))
  }
})

test('S25: no wrong passphrase opens a key, nor is it taken for a damaged file', () => {
  // Few iterations, so that there is time for the one in 256 whose padding comes out right.
  const { algorithm, ciphertext } = sealWithPbes2(pkcs8, 'right', 1, randomBytes)
  const body = Buffer.from(sequence(algorithm, octetString(ciphertext))).toString('base64')
  const pem = `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${body.replace(/.{1,64}/g, '$&\n')}-----END ENCRYPTED PRIVATE KEY-----\n`
  assert.ok(openKeyPem(pem, 'right').ok)
  const problems = new Set<string>()
  for (let i = 0; i < 2000; i++) {
    const opened = openKeyPem(pem, `wrong ${i}`)
    problems.add(opened.ok ? 'opened' : opened.problem)
  }
  problems.delete('the passphrase is wrong')
  problems.delete('the passphrase is wrong, or the file is damaged')
  assert.deepEqual([...problems], [])
})

test('a passphrase is guessed slowly: at least 600,000 rounds', () => {
  const pem = sealedKeyPem(pkcs8, 'x', randomBytes)
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\n/g, ''), 'base64')
  assert.ok(der.includes(Buffer.from('02030927c0', 'hex')))
})

test('what is no key says so', () => {
  const opened = openKeyPem('hello', null)
  assert.match(opened.ok ? '' : opened.problem, /is no private key/)
  assert.throws(() => createPrivateKey('hello'))
})
