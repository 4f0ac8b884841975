/**
 * The PKCS#12 files that people get, in the programs that must read them: key, certificate and CAs.
 */

import assert from 'node:assert/strict'
import { X509Certificate, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import tls from 'node:tls'
import { initAuthority } from '../../src/io/authority-folder.ts'
import type { AuthorityRequest, KeyType } from '../../src/relay/admin.ts'
import type { AuthorityResult } from '../../src/relay/authority.ts'
import { mustRun, run } from '../support/processes.ts'
import { missing, program } from './programs.ts'

const FORMATS = ['p12', 'p12-modern'] as const
const KEY_TYPES = ['p256', 'rsa2048'] as const
const NAMES = ['joe', 'example.org Postern Issuing CA', 'example.org Postern Root CA']

const scratch = mkdtempSync(path.join(tmpdir(), 'postern-pkcs12-'))

type Given = { readonly file: string; readonly password: string; readonly passwordFile: string; readonly fingerprint: string }
const files = new Map<string, Given>()

before(async () => {
  const location = { folder: path.join(scratch, 'ca'), passphrase: null, now: () => Date.now(), randomBytes: (size: number) => randomBytes(size) }
  const authority = await initAuthority({ ...location, organisation: 'example.org', hostname: 'mail.example.org', caName: null, keyType: 'p256' })
  assert.ok(authority.ok)
  for (const format of FORMATS) {
    for (const keyType of KEY_TYPES) {
      const request: AuthorityRequest = { do: 'issueClient', name: 'joe', kind: 'person', addresses: ['joe@example.org'], dnsNames: [], senders: [], keyType, days: 365, format }
      const result: AuthorityResult = await authority.value.handle(request)
      const issued = result.ok && result.answer.kind === 'issuedClient' ? result.answer.issued : assert.fail()
      if (issued.format !== 'p12') assert.fail()
      const base = path.join(scratch, `${format}-${keyType}`)
      writeFileSync(`${base}.p12`, Buffer.from(issued.p12Base64, 'base64'))
      writeFileSync(`${base}.password`, issued.password)
      files.set(`${format} ${keyType}`, { file: `${base}.p12`, password: issued.password, passwordFile: `${base}.password`, fingerprint: issued.fingerprint })
    }
  }
  await authority.value.close()
})

after(() => rmSync(scratch, { recursive: true }))

/** One test for each kind of file and of key. */
function each(name: string, skip: string | false, body: (given: Given, keyType: KeyType) => Promise<void>): void {
  for (const format of FORMATS) {
    for (const keyType of KEY_TYPES) test(`${name} reads ${format} with ${keyType}`, { skip }, () => body(given(format, keyType), keyType))
  }
}

function given(format: string, keyType: string): Given {
  return files.get(`${format} ${keyType}`) ?? assert.fail('made before the tests')
}

each('OpenSSL', missing('openssl'), async ({ file, passwordFile, fingerprint }) => {
  const pem = await mustRun(program('openssl'), ['pkcs12', '-in', file, '-passin', `file:${passwordFile}`, '-nodes'])
  assert.equal(new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERTIFICATE'))).fingerprint256.replaceAll(':', '').toLowerCase(), fingerprint)
  assert.match(pem, /BEGIN PRIVATE KEY/)
  assert.equal(pem.match(/BEGIN CERTIFICATE/g)?.length, 3)
  for (const name of NAMES) assert.ok(pem.includes(`friendlyName: ${name}`), name)
  // The key and its certificate, and nothing else, have the same localKeyID.
  const pairing = [...pem.matchAll(/localKeyID: ([0-9A-F ]+)/g)].map(([, id]) => id)
  assert.equal(pairing.length, 2)
  assert.equal(new Set(pairing).size, 1)
})

each('OpenSSL with another password', missing('openssl'), async ({ file }) => {
  const refused = await run(program('openssl'), ['pkcs12', '-in', file, '-passin', 'pass:wrong', '-nodes'])
  assert.notEqual(refused.code, 0)
  assert.match(refused.stderr, /invalid password/)
})

let databases = 0

/** Thunderbird and Firefox store certificates this way. */
each('NSS', missing('certutil', 'pk12util'), async ({ file, passwordFile }) => {
  const folder = path.join(scratch, `nss-${(databases += 1)}`)
  mkdirSync(folder)
  await mustRun(program('certutil'), ['-N', '-d', folder, '--empty-password'])
  const imported = await mustRun(program('pk12util'), ['-i', file, '-d', folder, '-w', passwordFile, '-K', ''])
  assert.match(imported, /PKCS12 IMPORT SUCCESSFUL/)
  const list = await mustRun(program('certutil'), ['-L', '-d', folder])
  // "u": the database has the private key of this certificate.
  assert.match(list, /^joe +u,u,u$/m)
  for (const name of NAMES) assert.ok(list.includes(name), name)
  const root = NAMES[2] ?? ''
  await mustRun(program('certutil'), ['-M', '-d', folder, '-n', root, '-t', 'T,,'])
  assert.match(await mustRun(program('certutil'), ['-V', '-d', folder, '-n', 'joe', '-u', 'C']), /certificate is valid/)
})

each('GnuTLS', missing('certtool'), async ({ file, password }) => {
  const info = await mustRun(program('certtool'), ['--p12-info', '--inder', '--infile', file, '--password', password])
  const key = await mustRun(program('certtool'), ['--to-p8', '--inder', '--infile', file, '--password', password, '--p12-info'])
  assert.match(key, /BEGIN/)
  for (const name of NAMES) assert.ok(info.includes(`Friendly name: ${name}`), name)
  const pairing = [...info.matchAll(/Key ID: ([0-9A-F:]+)/g)].map(([, id]) => id)
  assert.deepEqual([pairing.length, new Set(pairing).size], [2, 1])
})

each('Java', missing('keytool'), async ({ file, password, fingerprint }) => {
  const list = await mustRun(program('keytool'), ['-J-Duser.language=en', '-list', '-v', '-keystore', file, '-storetype', 'PKCS12', '-storepass', password])
  assert.match(list, /Your keystore contains 1 entry/)
  assert.match(list, /Alias name: joe/)
  assert.match(list, /Entry type: PrivateKeyEntry/)
  assert.match(list, /Certificate chain length: 3/)
  assert.ok(list.replaceAll(':', '').toLowerCase().includes(fingerprint))
})

each('Node', false, async ({ file, password }, keyType) => {
  const pfx = readFileSync(file)
  assert.doesNotThrow(() => tls.createSecureContext({ pfx, passphrase: password }), keyType)
  assert.throws(() => tls.createSecureContext({ pfx, passphrase: 'wrong' }), /mac verify failure/)
})
