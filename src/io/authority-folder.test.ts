import assert from 'node:assert/strict'
import { X509Certificate, createPrivateKey, randomBytes } from 'node:crypto'
import { appendFileSync, chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { AuthorityAnswer, AuthorityRequest, KeyType } from '../relay/admin.ts'
import type { Authority } from '../relay/authority.ts'
import { initAuthority, openAuthority } from './authority-folder.ts'
import { factsOfCertificate } from './x509.ts'

const scratch = mkdtempSync(path.join(tmpdir(), 'postern-authority-'))
test.after(() => rmSync(scratch, { recursive: true }))

let made = 0

function location(passphrase: string | null = null) {
  return { folder: path.join(scratch, `ca-${(made += 1)}`), passphrase, now: () => Date.now(), randomBytes: (size: number) => randomBytes(size) }
}

type Location = ReturnType<typeof location>

async function init(where: Location, change: { readonly hostname?: string; readonly caName?: string; readonly keyType?: KeyType } = {}) {
  return await initAuthority({ ...where, organisation: 'example.org', hostname: 'mail.example.org', caName: null, keyType: 'p256', ...change })
}

async function opened(result: Promise<{ readonly ok: true; readonly value: Authority } | { readonly ok: false; readonly problem: string }>): Promise<Authority> {
  const authority = await result
  assert.ok(authority.ok, authority.ok ? '' : authority.problem)
  return authority.value
}

async function problemOf(result: Promise<{ readonly ok: boolean; readonly problem?: string }>): Promise<string> {
  const { ok, problem } = await result
  assert.equal(ok, false)
  return problem ?? ''
}

async function ask(authority: Authority, request: AuthorityRequest): Promise<AuthorityAnswer> {
  const result = await authority.handle(request)
  assert.ok(result.ok, result.ok ? '' : result.problem)
  return result.answer
}

const joe = { do: 'issueClient', name: 'joe', kind: 'person', addresses: ['joe@example.org'], dnsNames: [], senders: [], keyType: 'p256', days: 365, format: 'pem' } as const

async function issue(authority: Authority, request: AuthorityRequest = joe) {
  const answer = await ask(authority, request)
  const { issued } = answer.kind === 'issuedClient' ? answer : assert.fail()
  return issued.format === 'pem' ? issued : assert.fail()
}

test('init makes an authority that opens again and knows what it issued', async () => {
  const where = location()
  const first = await opened(init(where))
  const issued = await issue(first)
  await first.close()

  const second = await opened(openAuthority(where))
  const index = await ask(second, { do: 'index' })
  assert.deepEqual(index.kind === 'index' ? index.index.live.map(({ fingerprint, senders }) => [fingerprint, senders]) : null, [[issued.fingerprint, ['joe@example.org']]])
  await second.close()
})

test('what it hands out fits together: certificate, key, chain', async () => {
  const where = location()
  const authority = await opened(init(where))
  const issued = await issue(authority)
  const [leafPem = '', issuingPem = ''] = issued.certificatePem.split(/(?<=-----END CERTIFICATE-----\n)/)
  const leaf = new X509Certificate(leafPem)
  const issuing = new X509Certificate(issuingPem)
  const root = new X509Certificate(readFileSync(path.join(where.folder, 'ca.pem')))
  assert.ok(leaf.checkPrivateKey(createPrivateKey(issued.keyPem)))
  assert.ok(leaf.checkIssued(issuing) && leaf.verify(issuing.publicKey))
  assert.ok(issuing.checkIssued(root) && issuing.verify(root.publicKey))
  const { certificate, isForClients, isAuthority, flaw } = factsOfCertificate(leaf.raw)
  assert.equal(certificate.subject, '/O=example.org/CN=joe')
  assert.equal(certificate.issuer, '/O=example.org/CN=example.org+20Postern+20Issuing+20CA')
  assert.deepEqual(certificate.addresses, ['joe@example.org'])
  assert.deepEqual(certificate.ambiguousNames, [])
  assert.equal(certificate.fingerprint, issued.fingerprint)
  assert.deepEqual([isForClients, isAuthority, flaw], [true, false, null])
  await authority.close()
})

test('every serial number is positive, sixteen bytes long and its own', async () => {
  const authority = await opened(init(location()))
  const serials = new Set<string>()
  for (let i = 0; i < 5; i++) await issue(authority)
  const answer = await ask(authority, { do: 'list' })
  for (const { serial } of answer.kind === 'listed' ? (answer.holders[0]?.certificates ?? []) : []) {
    assert.match(serial, /^[4-7][0-9a-f]{31}$/)
    serials.add(serial)
  }
  assert.equal(serials.size, 5)
  await authority.close()
})

test('RSA by choice, for the CAs and for people', async () => {
  const authority = await opened(init(location(), { keyType: 'rsa2048' }))
  const shown = await ask(authority, { do: 'show' })
  assert.equal(shown.kind === 'shown' ? shown.authority.keyType : null, 'rsa2048')
  const rsa = await issue(authority, { ...joe, keyType: 'rsa2048' })
  assert.deepEqual(new X509Certificate(rsa.certificatePem).publicKey.asymmetricKeyDetails?.modulusLength, 2048)
  const p256 = await issue(authority)
  assert.equal(new X509Certificate(p256.certificatePem).publicKey.asymmetricKeyType, 'ec')
  await authority.close()
})

test('S24: keys are 0400, the folder 0700, records for us alone, whatever the umask', async () => {
  const umask = process.umask(0)
  const where = location()
  const authority = await opened(init(where))
  process.umask(umask)
  await authority.close()
  const modes = Object.fromEntries(readdirSync(where.folder).map(name => [name, (statSync(path.join(where.folder, name)).mode & 0o777).toString(8)]))
  assert.equal((statSync(where.folder).mode & 0o777).toString(8), '700')
  const { lock, ...files } = modes
  assert.notEqual(lock, undefined)
  assert.deepEqual(files, { 'ca.pem': '444', 'issuing.pem': '444', 'root.key': '400', 'issuing.key': '400', 'index.jsonl': '600', 'audit.jsonl': '600' })
})

test('S25: keys are sealed with the passphrase, and only it opens them', async () => {
  const where = location('correct horse')
  const authority = await opened(init(where))
  await authority.close()
  for (const name of ['root.key', 'issuing.key']) {
    assert.match(readFileSync(path.join(where.folder, name), 'utf8'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/)
  }
  assert.match(await problemOf(openAuthority({ ...where, passphrase: 'wrong' })), /issuing\.key: the passphrase is wrong$/)
  assert.match(await problemOf(openAuthority({ ...where, passphrase: '' })), /issuing\.key: the passphrase is wrong$/)
  assert.match(await problemOf(openAuthority({ ...where, passphrase: null })), /issuing\.key: the key is sealed with a passphrase, and none was given/)
  const again = await opened(openAuthority(where))
  await issue(again)
  await again.close()
})

test('init changes nothing where an authority is', async () => {
  const where = location()
  await (await opened(init(where))).close()
  const before = readFileSync(path.join(where.folder, 'issuing.key'), 'utf8')
  assert.match(await problemOf(init(where)), /ca\.pem: there is an authority here already; nothing was changed/)
  assert.equal(readFileSync(path.join(where.folder, 'issuing.key'), 'utf8'), before)
})

test('init refuses a CA of the name of the server, and makes nothing', async () => {
  const where = location()
  assert.match(await problemOf(init(where, { caName: 'Mail.example.org' })), /must not have the same name/)
  assert.equal(existsSync(where.folder), false)
})

test('one process at a time has it open', async () => {
  const where = location()
  const authority = await opened(init(where))
  assert.match(await problemOf(openAuthority(where)), /another Postern process has this authority open/)
  assert.match(await problemOf(init(where)), /another Postern process has this authority open/)
  await authority.close()
  await (await opened(openAuthority(where))).close()
})

test('a folder without an authority says how to get one', async () => {
  assert.match(await problemOf(openAuthority(location())), /there is no authority here; make one with: postern init/)
})

test('an account that may not read the folder is told so', { skip: process.geteuid?.() === 0 ? false : 'needs root, to become somebody else' }, async () => {
  const where = location()
  await (await opened(init(where))).close()
  chmodSync(scratch, 0o755)
  process.seteuid?.(65_534)
  const problem = await problemOf(openAuthority(where)).finally(() => process.seteuid?.(0))
  assert.match(problem, /not readable by this account \(uid 65534\); run Postern as the owner/)
})

test('a folder that cannot be written to is named', { skip: process.geteuid?.() === 0 ? false : 'needs root, to become somebody else' }, async () => {
  const where = location()
  mkdirSync(where.folder, { mode: 0o755 })
  process.seteuid?.(65_534)
  const problem = await problemOf(init(where)).finally(() => process.seteuid?.(0))
  assert.match(problem, /lock: unable to open database file; run Postern as the owner of this folder/)
})

type Damage = (folder: string, other: string) => void

// prettier-ignore
const damages: readonly (readonly [what: string, damage: Damage, problem: RegExp])[] = [
  ['a key that others can read',       folder => chmodSync(path.join(folder, 'issuing.key'), 0o444),           /issuing\.key: other accounts can use this file \(mode 0444\); run: chmod 0600/],
  ['a folder that others can write to', folder => chmodSync(folder, 0o777),                                     /chmod go-w/],
  ['a missing key',                    folder => rmSync(path.join(folder, 'issuing.key')),                      /issuing\.key: no such file/],
  ['a damaged key',                    folder => overwrite(folder, 'issuing.key', 'x'),                         /issuing\.key: is no private key/],
  ['a damaged certificate',            folder => overwrite(folder, 'issuing.pem', 'x'),                         /issuing\.pem: cannot be read as a certificate/],
  ['the key of another CA',            (folder, other) => take(folder, other, 'issuing.key'),                   /issuing\.key: is not the key of .*issuing\.pem; restore both/],
  ['the root of another CA',           (folder, other) => take(folder, other, 'ca.pem'),                        /issuing\.pem: was not signed by .*ca\.pem/],
  ['the index of another CA',          (folder, other) => take(folder, other, 'index.jsonl'),                   /index\.jsonl: does not list .*issuing\.pem/],
  ['a missing index',                  folder => rmSync(path.join(folder, 'index.jsonl')),                      /index\.jsonl/],
  ['a missing audit log',              folder => rmSync(path.join(folder, 'audit.jsonl')),                      /audit\.jsonl/],
  ['a damaged line of the index',      folder => appendFileSync(path.join(folder, 'index.jsonl'), 'oops\n'),    /index\.jsonl:3: is not JSON; restore the file from a backup/],
]

for (const [what, damage, problem] of damages) {
  test(`does not open with ${what}, and says so`, async () => {
    const where = location()
    const other = location()
    await (await opened(init(where))).close()
    await (await opened(init(other))).close()
    damage(where.folder, other.folder)
    assert.match(await problemOf(openAuthority(where)), problem)
  })
}

test('a root key that was taken away is not missed', async () => {
  const where = location()
  await (await opened(init(where))).close()
  rmSync(path.join(where.folder, 'root.key'))
  const authority = await opened(openAuthority(where))
  await issue(authority)
  await authority.close()
})

test('a last line without its end that does not fit the others is not taken in', async () => {
  const where = location()
  const authority = await opened(init(where))
  await issue(authority)
  await authority.close()
  const index = path.join(where.folder, 'index.jsonl')
  const lines = readFileSync(index, 'utf8').trimEnd().split('\n')
  appendFileSync(index, lines.at(-1) ?? assert.fail())
  assert.match(await problemOf(openAuthority(where)), /index\.jsonl: the last line: the certificate [0-9a-f]{64} is there twice; restore/)
  // It was cut off; what was there before is as it was.
  const again = await opened(openAuthority(where))
  const answer = await ask(again, { do: 'index' })
  assert.equal(answer.kind === 'index' ? answer.index.live.length : 0, 1)
  await again.close()
})

test('the audit log has a line for every act, and none is ever taken out', async () => {
  const where = location()
  const authority = await opened(init(where))
  await issue(authority)
  await ask(authority, { do: 'revoke', name: 'joe' })
  await authority.handle({ do: 'remove', name: 'joe' }, 'ann (uid 1000)')
  await authority.close()
  const lines = readFileSync(path.join(where.folder, 'audit.jsonl'), 'utf8').trim().split('\n')
  const acts = lines.map(line => JSON.parse(line) as { by: string; act: string })
  assert.deepEqual(acts.map(({ by, act }) => `${by}: ${act}`), ['init: create', 'control socket: issueClient', 'control socket: revoke', 'ann (uid 1000): remove'])
})

test('neither keys nor passwords are written down', async () => {
  const where = location()
  const authority = await opened(init(where))
  const pem = await issue(authority)
  const packed = await ask(authority, { ...joe, format: 'p12' })
  const issued = packed.kind === 'issuedClient' && packed.issued.format === 'p12' ? packed.issued : assert.fail()
  await authority.close()
  const written = ['index.jsonl', 'audit.jsonl'].map(name => readFileSync(path.join(where.folder, name), 'utf8')).join('')
  assert.equal(written.includes(issued.password), false)
  assert.equal(written.includes('PRIVATE'), false)
  assert.equal(written.includes(pem.keyPem.split('\n')[1] ?? assert.fail()), false)
})

function overwrite(folder: string, name: string, text: string): void {
  rmSync(path.join(folder, name))
  writeFileSync(path.join(folder, name), text, { mode: 0o400 })
}

function take(folder: string, other: string, name: string): void {
  rmSync(path.join(folder, name))
  copyFileSync(path.join(other, name), path.join(folder, name))
}
