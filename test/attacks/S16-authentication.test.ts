/**
 * S16: the surface of AUTH, in the real program over real TLS.
 *
 * What SCRAM binds to is exported from the very connection; the client's half is written from the
 * RFCs (test/support/sasl-client.ts). Each message on its own is in test/transcripts/auth-*.smtp.
 */

import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { after, before, test } from 'node:test'
import { startPostern, type Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { authLogin, authPlain, authScram, base64, tlsExporter, type ScramResult } from '../support/sasl-client.ts'
import { SmtpClient, withoutId } from '../support/smtp-client.ts'

const PLUS = { mechanism: 'SCRAM-SHA-256-PLUS', flag: 'p=tls-exporter' }
/** Where tests that fail on purpose come from, so that none waits for another. */
const UNHINDERED = '127.20.0.0/16'
const EXPECTED = 'User name or password not accepted'

let postern: Postern
let password: string

before(async () => {
  postern = await startPostern({
    settings: { queue: { workers: 1 }, limits: { exempt: [UNHINDERED], 'failed-logins': 3, 'login-failure-rate': '3/1h' } },
  })
  await postern.issue('joe', '--email', 'joe@example.test')
  password = await setPassword('joe')
})

after(() => postern?.dispose())

async function setPassword(name: string): Promise<string> {
  return ((await postern.json(['user', 'passwd', name, '--device', 'phone'])) as { readonly password: string }).password
}

async function connected(options: ConnectionOptions = {}, from = '127.20.0.1'): Promise<SmtpClient> {
  const tls = { ca: readFileSync(postern.authority), checkServerIdentity: () => undefined, ...options }
  const client = await SmtpClient.connect(postern.ports.submissions, tls, from)
  await client.greet()
  return client
}

async function scram(client: SmtpClient, user: string, options: Parameters<typeof authScram>[3], secret = password): Promise<ScramResult> {
  return authScram(client, user, secret, options)
}

test('S16: in the clear AUTH is neither offered nor taken, and nothing of it is looked at', async () => {
  const client = await SmtpClient.connect(postern.ports.submission)
  assert.doesNotMatch((await client.greet()).text, /^AUTH/m)
  for (const command of [`PLAIN ${base64(`\0joe\0${password}`)}`, 'LOGIN', 'SCRAM-SHA-256 biws', 'SCRAM-SHA-256-PLUS', 'EXTERNAL =']) {
    assert.equal((await client.command(`AUTH ${command}`)).code, 538, command)
  }
  await client.quit()
})

test('S16: a proof is bound to its own TLS connection', async () => {
  const [client, other] = [await connected(), await connected()]
  const stolen = await scram(client, 'joe', { ...PLUS, binding: tlsExporter(other) })
  assert.equal(withoutId(stolen.reply).text, `5.7.8 ${EXPECTED}`)
  const own = await scram(client, 'joe', { ...PLUS, binding: tlsExporter(client) })
  assert.deepEqual([own.reply.code, own.serverIsRight], [235, true])
  await Promise.all([client.quit(), other.quit()])
})

test('S16: binding to the certificate of the server works too, and not to another', async () => {
  const certificate = new X509Certificate(readFileSync(join(postern.folder, 'tls', 'server.pem')))
  const endPoint = { mechanism: PLUS.mechanism, flag: 'p=tls-server-end-point' }
  const client = await connected()
  const wrong = await scram(client, 'joe', { ...endPoint, binding: createHash('sha256').update('another').digest() })
  assert.equal(wrong.reply.code, 535)
  assert.equal((await scram(client, 'joe', { ...endPoint, binding: createHash('sha256').update(certificate.raw).digest() })).reply.code, 235)
  await client.quit()
})

test('S16: a client that was made to believe that we cannot bind is refused', async () => {
  const client = await connected()
  const { reply } = await scram(client, 'joe', { mechanism: 'SCRAM-SHA-256', flag: 'y' })
  assert.equal(withoutId(reply).text, `5.7.8 ${EXPECTED}`)
  const changed = await scram(client, 'joe', { mechanism: 'SCRAM-SHA-256', flag: 'n', tamper: final => final.replace('c=biws', 'c=eSws') })
  assert.equal(changed.reply.code, 535)
  await client.quit()
  // Its log is read through a pipe, and may come after the reply.
  await waitFor('both reasons in the log', () => reasonsOf('SCRAM-SHA-256').slice(-2).join() === 'downgrade,wrongChannel', { told: () => reasonsOf('SCRAM-SHA-256').join() })
})

test('S16: in TLS 1.2 there is no binding to offer, and so none to miss', async () => {
  const client = await connected({ maxVersion: 'TLSv1.2' })
  assert.match((await client.command('EHLO again.example.test')).text, /^AUTH SCRAM-SHA-256 PLAIN LOGIN$/m)
  assert.equal((await client.command('AUTH SCRAM-SHA-256-PLUS')).code, 504)
  assert.equal((await scram(client, 'joe', { mechanism: 'SCRAM-SHA-256', flag: 'y' })).reply.code, 235)
  await client.quit()
})

test('S16: one identity does not act as another, whatever the mechanism', async () => {
  await postern.issue('jane', '--email', 'jane@example.test')
  const client = await connected()
  assert.equal(withoutId(await authPlain(client, 'joe', password, 'jane')).text, `5.7.8 ${EXPECTED}`)
  const { reply } = await scram(client, 'joe', { ...PLUS, binding: tlsExporter(client), wanted: 'jane@example.test' })
  assert.equal(withoutId(reply).text, `5.7.8 ${EXPECTED}`)
  assert.equal((await authPlain(client, 'joe', password, 'joe@example.test')).code, 235)
  await client.quit()
})

test('S16: nobody can tell a name that exists from one that does not', async () => {
  const starts = async (user: string): Promise<string> => {
    const client = await connected()
    const { serverFirst, reply } = await scram(client, user, { mechanism: 'SCRAM-SHA-256', flag: 'n' }, 'a wrong password')
    assert.equal(withoutId(reply).text, `5.7.8 ${EXPECTED}`)
    assert.equal(withoutId(await authPlain(client, user, 'a wrong password')).text, `5.7.8 ${EXPECTED}`)
    await client.quit()
    return serverFirst.replace(/^r=[^,]*,/, '')
  }
  const [known, address, unknown, again] = [await starts('joe'), await starts('joe@example.test'), await starts('ghost'), await starts('Ghost')]
  assert.match(known, /^s=[A-Za-z0-9+/]{43}=,i=16384$/)
  assert.equal(new Set([known, address, unknown]).size, 3)
  assert.equal(unknown, again)
  // Not even when the name comes to exist.
  await postern.issue('ghost', '--email', 'ghost@example.test')
  await setPassword('ghost')
  assert.equal(await starts('ghost'), unknown)
})

test('S16: control characters, and NULs where none belong, are refused', async () => {
  const client = await connected()
  for (const [user, secret] of [['jo\0e', password], ['joe', `${password}\0`], ['joe\r', password], ['joe', `${password}\n`], ['', password], ['joe', '']] as const) {
    assert.equal((await authPlain(client, user, secret)).code, 501, JSON.stringify([user, secret]))
  }
  assert.equal((await authLogin(client, 'joe\x1b', password)).code, 501)
  await client.quit()
})

test('S16: who fails too often is cut off, and then not listened to, with the right password either', async () => {
  await postern.issue('victim', '--email', 'victim@example.test')
  const right = await setPassword('victim')
  const guesser = await connected({}, '127.21.1.1')
  assert.equal((await authPlain(guesser, 'victim', 'guess number 1')).code, 535)
  assert.equal((await authPlain(guesser, 'victim', 'guess number 2')).code, 535)
  assert.match((await authPlain(guesser, 'victim', 'guess number 3')).text, /Too many failed logins$/)
  await guesser.closed()
  const neighbour = await connected({}, '127.21.1.99')
  assert.equal(withoutId(await authPlain(neighbour, 'victim', right)).text, '4.7.0 Too many logins have failed; try again later')
  assert.equal((await scram(neighbour, 'victim', { mechanism: 'SCRAM-SHA-256', flag: 'n' }, right)).reply.code, 454)
  await neighbour.quit()
  // From elsewhere it waits, and is let in: nobody can lock another out.
  const owner = await connected({}, '127.22.1.1')
  assert.equal((await authPlain(owner, 'victim', right)).code, 235)
  await owner.quit()
})

test('S16: no password is in the log, and each failure is one line', () => {
  assert.equal(postern.output().includes(password), false)
  assert.equal(postern.output().includes('a wrong password'), false)
  assert.ok(reasonsOf('PLAIN').includes('wrongIdentity'))
  assert.ok(reasonsOf('PLAIN').includes('unknownUser'))
})

function reasonsOf(mechanism: string): readonly unknown[] {
  return postern.log().flatMap(line => (line['event'] === 'login-failed' && line['mechanism'] === mechanism ? [line['why']] : []))
}
