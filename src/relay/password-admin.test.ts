import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import { parsePasswordFile } from '../core/accounts/password-file.ts'
import { ok } from '../core/result.ts'
import type { HolderRecord, PasswordRequest } from './admin.ts'
import { accountsOf, administerPasswords, type PasswordPort } from './password-admin.ts'

test('a device has one password, and a holder so many devices', async () => {
  const site = open()
  for (let at = 0; at < 50; at++) assert.equal(await site.do(set('joe', `device ${at}`)), null)
  assert.match((await site.do(set('joe', 'one more'))) ?? '', /^joe has 50 passwords already/)
  assert.equal(await site.do(set('joe', 'device 7')), null)
  assert.equal(site.counting(), 50)
  assert.equal(await site.do(set('jane', 'phone')), null)
})

test('what ended with its holder does not count, and leaves the file with the next change', async () => {
  const site = open()
  await site.do(set('joe', 'phone'))
  site.holders[0] = holder('joe', { issuedAt: 0, revokedAt: 50 })
  assert.equal(site.counting(), 0)
  assert.match((await site.do(set('joe', 'phone'))) ?? '', /^joe has been revoked/)
  site.holders[0] = holder('joe', { issuedAt: 0, revokedAt: 50 }, { issuedAt: 60, revokedAt: null })
  assert.equal(site.counting(), 0)
  await site.do(set('jane', 'phone'))
  assert.deepEqual(site.inFile(), ['jane'])
})

test('keys are derived for each name to log in with, in the kinds that are asked for', async () => {
  const site = open()
  await site.do({ ...set('joe', 'phone'), scram: ['SHA-256', 'SHA-1'] })
  const scram = accountsOf(site.file(), site.holders, false)?.holders[0]?.passwords[0]?.scram ?? []
  assert.deepEqual(scram.map(({ hash, login }) => `${hash} ${login}`), ['SHA-256 joe', 'SHA-256 joe@example.org', 'SHA-1 joe', 'SHA-1 joe@example.org'])
})

type Set = Extract<PasswordRequest, { do: 'set' }>

function set(name: string, device: string): Set {
  return { do: 'set', name, device, networks: [], password: null, scram: [] }
}

function holder(name: string, ...spans: readonly { readonly issuedAt: number; readonly revokedAt: number | null }[]): HolderRecord {
  const certificates = spans.map(span => ({ ...span, serial: '1', fingerprint: '', subject: '', notBefore: 0, notAfter: 0, certificate: '' }))
  return { name, kind: 'person', senders: [`${name}@example.org`], certificates }
}

function open() {
  const holders = ['joe', 'jane'].map(name => holder(name, { issuedAt: 0, revokedAt: null }))
  let text: string | null = null
  let made = 0
  const file = () => {
    const parsed = text === null ? ok(null) : parsePasswordFile(text, 'users')
    assert.ok(parsed.ok)
    return parsed.value
  }
  const port: PasswordPort = {
    crypto: {
      argon2id: (password, salt) => Promise.resolve(createHmac('sha256', salt).update(password).digest()),
      pbkdf2: (_, password, salt) => Promise.resolve(createHmac('sha256', salt).update(password).digest()),
      hmac: (_, key, message) => createHmac('sha256', key).update(message).digest(),
      digest: (_, octets) => createHash('sha256').update(octets).digest(),
      isSame: (a, b) => Buffer.compare(a, b) === 0,
      random: octets => Buffer.alloc(octets, 1),
      toBase64: octets => Buffer.from(octets).toString('base64'),
      fromBase64: coded => Buffer.from(coded, 'base64'),
    },
    now: () => 10,
    newId: () => `password${++made}`,
    newPassword: () => 'abcd-efgh-jkmn-pqrs',
    read: () => ok(file()),
    write: written => Promise.resolve(void (text = written)),
  }
  return {
    holders,
    file,
    inFile: () => file()?.passwords.map(password => password.holder) ?? [],
    counting: () => accountsOf(file(), holders, false)?.holders.reduce((sum, { passwords }) => sum + passwords.length, 0) ?? 0,
    do: async (request: PasswordRequest): Promise<string | null> => {
      const result = await administerPasswords(port, holders, request)
      return result.ok ? null : result.problem
    },
  }
}
