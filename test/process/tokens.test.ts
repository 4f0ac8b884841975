/**
 * Tokens of an identity provider in the real program: whom it vouches for may relay as the holder of
 * that name, for as long as both count.
 */

import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parse, stringify, type TomlTable } from 'smol-toml'
import { makePostern, type Listener, type Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { authBearer, authXoauth2, connectToLogIn } from '../support/sasl-client.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { withoutId, type SmtpClient } from '../support/smtp-client.ts'
import { signingKey, startTokenProvider, type TokenProvider } from '../support/token-provider.ts'

type Queued = { readonly sender: string; readonly heldBecause: string | null }

const SCOPE = 'smtp'
const SECRET = 'the secret of the relay: 100% &+'
const key = signingKey('ES256')

let provider: TokenProvider
let sink: Sink
let postern: Postern

before(async () => {
  provider = await startTokenProvider(token => {
    const [, kind, name] = /^(name|address)-of-(.*)$/.exec(token) ?? []
    return name === undefined ? { active: false } : { active: true, username: kind === 'name' ? name : `${name}@example.test`, scope: `openid ${SCOPE}` }
  })
  sink = await startSink({ answer: ({ at }) => (at === 'mail' ? '451 4.3.0 Not now' : null) })
  postern = await makePostern({ smarthost: sink.port, settings: { queue: { workers: 1 }, oauth: byIntrospection() } })
  writeFileSync(join(postern.folder, 'oauth-secret'), `${SECRET}\n`, { mode: 0o600 })
  await postern.start()
  await postern.issue('joe', '--email', 'joe@example.test')
  await postern.issue('jane', '--email', 'jane@example.test')
})

after(async () => {
  await postern?.dispose()
  await sink?.stop()
  await provider?.stop()
})

function byIntrospection(): TomlTable {
  return { introspection: provider.url, 'client-id': 'postern relay', 'client-secret-file': 'oauth-secret', scope: [SCOPE], claim: 'username' }
}

function connected(listener?: Listener): Promise<SmtpClient> {
  return connectToLogIn(postern, listener)
}

async function mayRelay(client: SmtpClient, sender: string): Promise<number> {
  const mail = await client.command(`MAIL FROM:<${sender}>`)
  const rcpt = await client.command('RCPT TO:<ann@elsewhere.test>')
  await client.command('RSET')
  return mail.code === 250 ? rcpt.code : mail.code
}

/** Changes `[oauth]` as an administrator does. */
async function configure(oauth: TomlTable): Promise<void> {
  const file = join(postern.folder, 'postern.toml')
  writeFileSync(file, stringify({ ...parse(readFileSync(file, 'utf8')), oauth }))
  assert.equal((await postern.command(['reload'])).code, 0)
}

test('whom the endpoint vouches for relays as itself, and as nobody else', async () => {
  const client = await connected()
  assert.equal((await authBearer(client, 'name-of-joe')).reply.code, 235)
  assert.deepEqual([await mayRelay(client, 'joe@example.test'), await mayRelay(client, 'jane@example.test')], [250, 550])
  await client.quit()
  const asked = provider.asked.at(-1)
  assert.deepEqual([asked?.form.get('token'), asked?.form.get('token_type_hint')], ['name-of-joe', 'access_token'])
  const [id = '', secret = ''] = Buffer.from(asked?.authorization.replace(/^Basic /, '') ?? '', 'base64').toString().split(':')
  assert.deepEqual([id, secret].map(text => new URLSearchParams(`=${text}`).get('')), ['postern relay', SECRET])

  const other = await connected('submission')
  assert.equal((await authXoauth2(other, 'address-of-jane', 'jane@example.test')).reply.code, 235)
  assert.equal(await mayRelay(other, 'jane@example.test'), 250)
  await other.quit()
})

test('a wrong token, another\'s name and a stranger are told the same', async () => {
  const client = await connected()
  for (const [token, user] of [['bad', 'joe'], ['name-of-joe', 'jane'], ['name-of-joe', 'ghost'], ['name-of-stranger', '']] as const) {
    const { reply, error } = await authBearer(client, token, user)
    assert.deepEqual([withoutId(reply).text, error], ['5.7.8 Token not accepted', { status: 'invalid_token', scope: SCOPE }])
  }
  await client.quit()
  assert.deepEqual(failures().slice(-4), [['joe', 'inactiveToken'], ['jane', 'wrongIdentity'], ['ghost', 'wrongIdentity'], ['stranger', 'unknownUser']])
})

function failures(): readonly (readonly unknown[])[] {
  return postern.log().flatMap(line => (line['event'] === 'login-failed' ? [[line['login'], line['why']]] : []))
}

test('offered where passwords are, and where a certificate is wanted it is not', async () => {
  const [submissions, mx] = [await connected(), await connected('mx')]
  assert.match((await submissions.command('EHLO laptop.example.test')).text, /^AUTH OAUTHBEARER XOAUTH2$/m)
  assert.doesNotMatch((await mx.command('EHLO laptop.example.test')).text, /^AUTH/m)
  assert.equal((await authBearer(mx, 'name-of-joe')).reply.code, 504)
  await Promise.all([submissions.quit(), mx.quit()])
})

test('revoking a person ends the sessions of its tokens, and holds what was sent with them', async () => {
  await postern.issue('leaver', '--email', 'leaver@example.test')
  const client = await connected()
  assert.equal((await authBearer(client, 'name-of-leaver')).reply.code, 235)
  await client.command('MAIL FROM:<leaver@example.test>')
  await client.command('RCPT TO:<ann@elsewhere.test>')
  await client.command('DATA')
  assert.equal((await client.command('Subject: last\r\n\r\nBye.\r\n.')).code, 250)
  assert.equal((await postern.command(['user', 'revoke', 'leaver'])).code, 0)
  assert.notEqual(await mayRelay(client, 'leaver@example.test'), 250)
  await client.quit()
  const again = await connected()
  assert.equal((await authBearer(again, 'name-of-leaver')).reply.code, 535)
  await again.quit()
  await waitFor('the message to be held', async () => {
    const messages = (await postern.json(['queue', 'list'])) as readonly Queued[]
    return messages.some(({ sender, heldBecause }) => sender === 'leaver@example.test' && /tokens of leaver/.test(heldBecause ?? ''))
  })
})

test('signed tokens, by keys in a file that a reload reads again', async () => {
  const claims = { iss: 'https://login.example.test', aud: 'mail', sub: 'joe', exp: Math.floor(Date.now() / 1000) + 600 }
  const file = join(postern.folder, 'provider.jwks')
  writeFileSync(file, JSON.stringify({ keys: [key.jwk] }))
  await configure({ 'jwks-file': 'provider.jwks', issuer: claims.iss, audience: claims.aud })
  const client = await connected()
  assert.equal((await authBearer(client, key.token({ ...claims, aud: 'files' }))).reply.code, 535)
  assert.equal((await authBearer(client, key.token(claims))).reply.code, 235)
  assert.equal(await mayRelay(client, 'joe@example.test'), 250)
  await client.quit()
  const next = signingKey('EdDSA')
  writeFileSync(file, JSON.stringify({ keys: [next.jwk] }))
  assert.equal((await postern.command(['reload'])).code, 0)
  const later = await connected()
  assert.equal((await authBearer(later, key.token(claims))).reply.code, 535)
  assert.equal((await authBearer(later, next.token(claims))).reply.code, 235)
  await later.quit()
})

test('keys that the provider publishes, and has changed meanwhile', async () => {
  const claims = { iss: 'https://login.example.test', aud: 'mail', sub: 'joe', exp: Math.floor(Date.now() / 1000) + 600 }
  const publisher = await startTokenProvider(() => ({ keys: [key.jwk] }), '/keys')
  await configure({ 'jwks-url': publisher.url, issuer: claims.iss, audience: claims.aud })
  const client = await connected()
  // A name that nobody has heard of makes nobody ask again so soon.
  for (const token of [key.token(claims, { kid: 'made-up' }), key.token(claims, { kid: 'made-up-too' })]) assert.equal((await authBearer(client, token)).reply.code, 535)
  assert.equal((await authBearer(client, key.token(claims))).reply.code, 235)
  assert.equal(publisher.asked.length, 1)
  await client.quit()
  await publisher.stop()
})

test('without [oauth] tokens are not taken, and sessions that stood on one have lost it', async () => {
  await configure(byIntrospection())
  const client = await connected()
  assert.equal((await authBearer(client, 'name-of-joe')).reply.code, 235)
  const file = join(postern.folder, 'postern.toml')
  const { oauth: _, ...others } = parse(readFileSync(file, 'utf8'))
  writeFileSync(file, stringify({ ...others, log: { level: 'loud' } }))
  assert.equal((await postern.command(['reload'])).code, 1)
  assert.equal(await mayRelay(client, 'joe@example.test'), 250, 'settings that are not taken end nothing')
  writeFileSync(file, stringify(others))
  assert.equal((await postern.command(['reload'])).code, 0)
  assert.notEqual(await mayRelay(client, 'joe@example.test'), 250)
  await client.quit()
  const again = await connected()
  assert.equal((await authBearer(again, 'name-of-joe')).reply.code, 504)
  await again.quit()
})

test('"postern check" names the files that cannot be used', async () => {
  const bad = await checked({ introspection: provider.url, 'client-id': 'p', 'client-secret-file': 'nowhere', scope: ['x'] })
  assert.match(bad, /oauth\.client-secret-file: .*nowhere: no such file/)
  writeFileSync(join(postern.folder, 'open-secret'), 'x', { mode: 0o644 })
  assert.match(await checked({ introspection: provider.url, 'client-id': 'p', 'client-secret-file': 'open-secret', scope: ['x'] }), /open-secret: other accounts can use this file/)
  writeFileSync(join(postern.folder, 'open.jwks'), JSON.stringify({ keys: [key.jwk] }))
  chmodSync(join(postern.folder, 'open.jwks'), 0o666)
  assert.match(await checked({ 'jwks-file': 'open.jwks', issuer: 'x', audience: 'y' }), /open\.jwks: other accounts can change who may relay/)
  writeFileSync(join(postern.folder, 'bad.jwks'), '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}')
  assert.match(await checked({ 'jwks-file': 'bad.jwks', issuer: 'x', audience: 'y' }), /bad\.jwks: oauth\.jwks-file: holds a private key or a secret/)
})

async function checked(oauth: TomlTable): Promise<string> {
  const file = join(postern.folder, 'postern.toml')
  const before = readFileSync(file, 'utf8')
  writeFileSync(file, stringify({ ...parse(before), oauth }))
  const { code, stdout } = await postern.command(['check'])
  writeFileSync(file, before)
  assert.equal(code, 1)
  return stdout
}
