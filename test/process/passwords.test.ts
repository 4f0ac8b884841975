/**
 * Passwords in the real program: who has one may relay as its holder, and only for as long as both
 * the password and the holder count.
 */

import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { CertificateFiles } from '../support/certificates.ts'
import { startPostern, type Listener, type Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { authLogin, authPlain, authScram, connectToLogIn, tlsExporter } from '../support/sasl-client.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'

type Set = { readonly password: string; readonly logins: readonly string[]; readonly passwords: readonly { readonly device: string }[] }
type Queued = { readonly sender: string; readonly heldBecause: string | null }

let sink: Sink
let postern: Postern

before(async () => {
  sink = await startSink({ answer: ({ at }) => (at === 'mail' ? '451 4.3.0 Not now' : null) })
  postern = await startPostern({ smarthost: sink.port, settings: { queue: { workers: 1 } } })
})

after(async () => {
  await postern?.dispose()
  await sink?.stop()
})

/** A person with an address and a password. */
async function person(name: string, ...options: readonly string[]): Promise<string> {
  await postern.issue(name, '--email', `${name}@example.test`)
  return setPassword(name, 'phone', ...options)
}

async function setPassword(name: string, device: string, ...options: readonly string[]): Promise<string> {
  return ((await postern.json(['user', 'passwd', name, '--device', device, ...options])) as Set).password
}

function connected(listener?: Listener): Promise<SmtpClient> {
  return connectToLogIn(postern, listener)
}

const letter = { to: 'ann@example.net', text: 'Subject: by password\r\n\r\nHello\r\n' }

test('passwords are offered once somebody has one, within TLS, and not on mx', async () => {
  const before = await connected()
  assert.doesNotMatch((await before.command('EHLO again.example.test')).text, /^AUTH/m)
  await before.quit()
  await person('first')
  const client = await connected()
  const offered = /^AUTH (.*)$/m.exec((await client.command('EHLO again.example.test')).text)?.[1]
  assert.equal(offered, 'SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN')
  await client.quit()
  const mx = await connected('mx')
  assert.doesNotMatch((await mx.command('EHLO again.example.test')).text, /^AUTH/m)
  await mx.quit()
})

test('the file of passwords is for its owner only, and holds none of them', async () => {
  const password = await person('careful')
  const file = join(postern.folder, 'users')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(readFileSync(file, 'utf8').includes(password), false)
})

test('every mechanism logs in, by name or by address, and what is sent then says so', async () => {
  const password = await person('joe')
  const ways: readonly (readonly [string, (client: SmtpClient) => Promise<{ readonly code: number }>])[] = [
    ['PLAIN', client => authPlain(client, 'joe', password)],
    ['PLAIN', client => authPlain(client, 'Joe@Example.test', password, 'joe')],
    ['LOGIN', client => authLogin(client, 'joe@example.test', password)],
    ['SCRAM-SHA-256', async client => (await authScram(client, 'JOE', password, { mechanism: 'SCRAM-SHA-256', flag: 'n' })).reply],
    [
      'SCRAM-SHA-256-PLUS',
      async client => {
        const binding = { mechanism: 'SCRAM-SHA-256-PLUS', flag: 'p=tls-exporter', binding: tlsExporter(client) }
        const { reply, serverIsRight } = await authScram(client, 'joe@example.test', password, binding)
        assert.equal(serverIsRight, true)
        return reply
      },
    ],
  ]
  for (const [mechanism, logIn] of ways) {
    const client = await connected(mechanism === 'LOGIN' ? 'submission' : 'submissions')
    assert.equal((await logIn(client)).code, 235, mechanism)
    const sent = await client.deliver({ from: 'joe@example.test', ...letter })
    assert.equal(sent.code, 250, sent.text)
    await client.quit()
    const id = /Queued as (\S+)/.exec(sent.text)?.[1] ?? ''
    const shown = (await postern.json(['queue', 'show', id])) as { readonly header: string }
    assert.match(shown.header, new RegExp(`\\(authenticated: ${mechanism} joe\\)\\r\\n\\tby .* with ESMTPSA id`))
  }
})

test('a login is bound to the addresses of its holder, and the refusal explains itself', async () => {
  const password = await person('bound')
  const client = await connected()
  await authPlain(client, 'bound', password)
  const refused = await client.command('MAIL FROM:<boss@example.test>')
  assert.match(refused.text, /^5\.7\.1 Sender address not allowed for this login \(id (\S+)\)$/)
  await client.quit()
  const explained = await postern.command(['explain', /id ([^\s)]+)/.exec(refused.text)?.[1] ?? ''])
  assert.match(explained.stdout, /logged in {4}as bound with password 'phone' by PLAIN/)
  assert.match(explained.stdout, /person bound may use bound@example\.test/)
})

test('a password that is taken away ends its session and holds its mail', async () => {
  const password = await person('leaving')
  const client = await connected()
  assert.equal((await authPlain(client, 'leaving', password)).code, 235)
  assert.equal((await client.deliver({ from: 'leaving@example.test', ...letter })).code, 250)
  await postern.json(['user', 'passwd', 'leaving', '--device', 'phone', '--remove'])
  assert.match((await client.command('MAIL FROM:<leaving@example.test>')).text, /Authentication required/)
  assert.equal((await authPlain(client, 'leaving', password)).code, 535)
  await client.quit()
  assert.match((await heldMailOf('leaving@example.test')) ?? '', /the password of leaving was taken away/)
})

test('revoking a person ends its passwords, and a new certificate does not bring them back', async () => {
  const password = await person('gone')
  const client = await connected()
  assert.equal((await authPlain(client, 'gone', password)).code, 235)
  assert.equal((await client.deliver({ from: 'gone@example.test', ...letter })).code, 250)
  await postern.command(['user', 'revoke', 'gone'])
  assert.match((await client.command('MAIL FROM:<gone@example.test>')).text, /Authentication required/)
  await client.quit()
  assert.match((await heldMailOf('gone@example.test')) ?? '', /of gone was/)
  await postern.command(['user', 'add', 'gone', '--email', 'gone@example.test', '--format', 'pem', '--out', join(postern.folder, 'again')])
  const later = await connected()
  assert.equal((await authPlain(later, 'gone', password)).code, 535)
  await later.quit()
})

test('a password for one network counts nowhere else', async () => {
  const password = await person('copier', '--network', '192.0.2.0/24')
  const near = await setPassword('copier', 'laptop', '--network', '127.0.0.0/8')
  const client = await connected()
  assert.equal((await authPlain(client, 'copier', password)).code, 535)
  assert.equal((await authPlain(client, 'copier', near)).code, 235)
  await client.quit()
})

test('a failed login is one line of the log, with the reason that the client is not told', async () => {
  const client = await connected()
  await authPlain(client, 'nobody-we-know', 'wrong')
  await client.quit()
  await waitFor('the line', () => postern.log().some(line => line['login'] === 'nobody-we-know'))
  const lines = postern.log().filter(line => line['login'] === 'nobody-we-know')
  assert.deepEqual(lines.map(({ why, mechanism, client: address }) => [why, mechanism, address]), [['unknownUser', 'PLAIN', '127.0.0.1']])
})

test('a listener that wants both takes a certificate and a password of the same person, and nothing less', async () => {
  const both = await startPostern({ settings: { queue: { workers: 1 }, listeners: { submissions: { authentication: 'both' }, submission: { authentication: 'password' } } } })
  try {
    const certificates: CertificateFiles[] = []
    const passwords: string[] = []
    for (const name of ['ann', 'bob']) {
      certificates.push(await both.issue(name, '--email', `${name}@example.test`))
      passwords.push(((await both.json(['user', 'passwd', name, '--device', 'phone'])) as Set).password)
    }
    const [ann, bob] = certificates
    const mailAs = async (listener: 'submission' | 'submissions', certificate: CertificateFiles | undefined, user: string | null): Promise<string> => {
      const tls = { ca: readFileSync(both.authority), checkServerIdentity: () => undefined, ...(certificate === undefined ? {} : pem(certificate)) }
      const client = await SmtpClient.connect(both.ports[listener], listener === 'submissions' ? tls : undefined)
      await client.greet()
      if (listener === 'submission') {
        await client.startTls(tls)
        await client.command('EHLO laptop.example.test')
      }
      if (user !== null) assert.equal((await authPlain(client, user, passwords[user === 'ann' ? 0 : 1] ?? '')).code, 235)
      const { code, text } = await client.command('MAIL FROM:<ann@example.test>')
      await client.quit()
      return `${code} ${text.replace(/ \(id .*/, '')}`
    }
    const needsBoth = '530 5.7.0 Authentication required: certificate and password are both needed'
    assert.equal(await mailAs('submissions', ann, null), needsBoth)
    assert.equal(await mailAs('submissions', undefined, 'ann'), needsBoth)
    assert.equal(await mailAs('submissions', bob, 'ann'), '530 5.7.0 Authentication required: certificate and password do not belong to the same person or machine')
    assert.equal(await mailAs('submissions', ann, 'ann'), '250 2.1.0 Sender OK')
    assert.equal(await mailAs('submission', ann, null), '530 5.7.0 Authentication required: log in with your password')
    assert.equal(await mailAs('submission', undefined, 'ann'), '250 2.1.0 Sender OK')
  } finally {
    await both.dispose()
  }
})

function pem({ certificate, key }: CertificateFiles): { readonly cert: Buffer; readonly key: Buffer } {
  return { cert: readFileSync(certificate), key: readFileSync(key) }
}

async function heldMailOf(sender: string): Promise<string | null> {
  const queue = (await postern.json(['queue', 'list'])) as readonly Queued[]
  return queue.find(message => message.sender === sender)?.heldBecause ?? null
}
