/**
 * S16, tokens: what a token gives away, and what becomes of logins when whoever is asked about tokens is
 * not there, or is not who he should be.
 *
 * The real program asks an introspection endpoint that misbehaves in the way that its token says. How a
 * forged token looks is in src/core/tokens/jwt.test.ts, each message of the exchange in test/transcripts.
 */

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { makePostern, type Postern } from '../support/postern.ts'
import { authBearer, authXoauth2, type BearerResult } from '../support/sasl-client.ts'
import { waitFor } from '../support/processes.ts'
import { SmtpClient, withoutId } from '../support/smtp-client.ts'
import { startTokenProvider, type Answer, type TokenProvider } from '../support/token-provider.ts'

/** Where tests that fail on purpose come from, so that none waits for another. */
const UNHINDERED = '127.20.0.0/16'
const SECRET = 'client-secret-of-the-relay'
const UNAVAILABLE = '4.7.0 Cannot check logins now; try again later'

let provider: TokenProvider
let elsewhere: TokenProvider
let postern: Postern

before(async () => {
  elsewhere = await startTokenProvider(() => good('joe'))
  provider = await startTokenProvider(misbehaving)
  postern = await makePostern({
    settings: {
      queue: { workers: 1 },
      limits: { exempt: [UNHINDERED], 'failed-logins': 3, 'login-failure-rate': '3/1h' },
      oauth: { introspection: provider.url, 'client-id': 'postern', 'client-secret-file': 'oauth-secret', audience: 'mail', timeout: '2s' },
    },
  })
  writeFileSync(join(postern.folder, 'oauth-secret'), SECRET, { mode: 0o600 })
  await postern.start()
  await postern.issue('joe', '--email', 'joe@example.test')
})

after(async () => {
  await postern?.dispose()
  await Promise.all([provider?.stop(), elsewhere?.stop()])
})

function good(sub: string): object {
  return { active: true, sub, aud: 'mail' }
}

const misbehaving: Answer = token => {
  switch (token.replace(/-\d+$/, '')) {
    case 'redirect':
      return answer => void answer.writeHead(307, { location: elsewhere.url }).end()
    case 'redirect-with-answer':
      return answer => void answer.writeHead(302, { location: elsewhere.url }).end(JSON.stringify(good('joe')))
    case 'denied':
      return answer => void answer.writeHead(401).end(JSON.stringify(good('joe')))
    case 'broken':
      return answer => void answer.writeHead(500).end()
    case 'created':
      return answer => void answer.writeHead(201).end(JSON.stringify(good('joe')))
    case 'switch':
      return answer => void answer.writeHead(101, { connection: 'upgrade', upgrade: 'smtp' }).end()
    case 'giant':
      return answer => void answer.writeHead(200).end(JSON.stringify({ ...good('joe'), padding: 'x'.repeat(1_000_000) }))
    case 'endless':
      return answer => {
        const more = setInterval(() => answer.write(' '.repeat(16_384)), 5)
        answer.on('close', () => clearInterval(more)).writeHead(200)
      }
    case 'silent':
      return () => {}
    case 'slow':
      return answer => {
        const timer = setInterval(() => answer.write(' '), 50)
        answer.on('close', () => clearInterval(timer)).writeHead(200)
      }
    case 'cut':
      return answer => void answer.writeHead(200, { 'content-length': '1000' }).write(JSON.stringify(good('joe')), () => answer.destroy())
    case 'no-json':
      return answer => void answer.end('<html>')
    case 'list':
      return [good('joe')]
    case 'active-in-words':
      return { ...good('joe'), active: 'true' }
    case 'nothing':
      return {}
    case 'other-audience':
      return { ...good('joe'), aud: 'files' }
    case 'expired':
      return { ...good('joe'), exp: 1 }
    case 'short':
      return { ...good('joe'), exp: Date.now() / 1000 + 4 }
    case 'stranger':
      return good('stranger')
    case 'joe':
      return good('joe')
    default:
      return { active: false }
  }
}

async function connect(from = '127.20.0.1'): Promise<SmtpClient> {
  const tls = { ca: readFileSync(postern.authority), checkServerIdentity: () => undefined }
  const client = await SmtpClient.connect(postern.ports.submissions, tls, from)
  await client.greet()
  return client
}

async function login(token: string, user = '', from?: string): Promise<BearerResult> {
  const client = await connect(from)
  const result = await authBearer(client, token, user)
  await client.quit()
  return result
}

/** All that a client is told. */
async function told(token: string, user = ''): Promise<readonly unknown[]> {
  const { reply, error } = await login(token, user)
  return [reply.code, withoutId(reply).text, error]
}

test('S16: a wrong token, another\'s, a stranger\'s and one for another service are told the same', async () => {
  assert.equal((await login('joe', 'joe@example.test')).reply.code, 235)
  const expected = [535, '5.7.8 Token not accepted', { status: 'invalid_token' }]
  for (const [token, user] of [['wrong', ''], ['wrong', 'joe'], ['wrong', 'ghost'], ['joe', 'ghost'], ['joe', 'jane@example.test'], ['stranger', ''], ['stranger', 'joe'], ['other-audience', ''], ['expired', 'joe']] as const) {
    assert.deepEqual(await told(token, user), expected, `${token} as ${user}`)
  }
})

for (const token of ['redirect', 'redirect-with-answer', 'denied', 'broken', 'created', 'switch', 'giant', 'endless', 'silent', 'slow', 'cut', 'no-json', 'list', 'active-in-words', 'nothing']) {
  test(`S16: an endpoint that answers in the way "${token}" vouches for nobody, and that is nobody's failure`, async () => {
    const [before, known] = [failures().length, problems().length]
    assert.deepEqual(await told(token), [454, UNAVAILABLE, null])
    const problem = await waitFor('what is wrong, in the log', () => problems()[known])
    assert.ok(problem.includes(provider.url), problem)
    assert.equal(failures().length, before)
  })
}

test('S16: a session ends with its token, and has taken nothing after that', async () => {
  const client = await connect()
  assert.equal((await authBearer(client, 'short')).reply.code, 235)
  assert.equal((await client.command('MAIL FROM:<joe@example.test>')).code, 250)
  assert.equal((await client.reply()).text, '4.7.0 relay.example.test Your login has ended; log in again')
  await client.closed()
})

test('S16: neither token nor secret has gone where a redirect pointed', () => {
  assert.equal(elsewhere.asked.length, 0)
})

test('S16: while the endpoint is away nobody is locked out, and nobody gets in', async () => {
  await provider.stop()
  for (let attempt = 0; attempt < 4; attempt++) assert.equal(withoutId((await login(`away-${attempt}`, 'joe', '127.23.1.1')).reply).text, UNAVAILABLE)
})

test('S16: a good token is remembered for a moment only, and not across a reload', async () => {
  assert.equal((await login('joe', 'joe')).reply.code, 235)
  assert.equal((await postern.command(['reload'])).code, 0)
  assert.equal(withoutId((await login('joe', 'joe')).reply).text, UNAVAILABLE)
})

test('S16: neither token nor secret is in the log, in an explanation, in a trace or in the metrics', async () => {
  const id = /\(id ([^)]+)\)/.exec(await refused())?.[1] ?? ''
  const explained = await postern.command(['explain', id])
  assert.match(explained.stdout, /as joe with a token by XOAUTH2/)
  const metrics = (await postern.command(['status', '--metrics'])).stdout
  assert.match(metrics, /postern_logins_total\{mechanism="OAUTHBEARER",result="inactiveToken"\}/)
  const everything = [postern.output(), explained.stdout, metrics].join('\n')
  for (const secret of [SECRET, Buffer.from(`postern:${SECRET}`).toString('base64'), TOKEN, Buffer.from(TOKEN).toString('base64').slice(0, -4)]) {
    assert.equal(everything.includes(secret), false, secret)
  }
})

const TOKEN = 'a-token-that-nobody-may-read'

/** Logs in with a token, and tries what its holder may not. */
async function refused(): Promise<string> {
  const again = await startTokenProvider(token => {
    if (token === `${TOKEN}-echo`) return answer => void answer.writeHead(500, `No ${token}`).end(token)
    return token === TOKEN ? good('joe') : { active: false }
  })
  const file = join(postern.folder, 'postern.toml')
  writeFileSync(file, readFileSync(file, 'utf8').replace(provider.url, again.url))
  assert.equal((await postern.command(['reload'])).code, 0)
  assert.equal((await login(`${TOKEN}-not`)).reply.code, 535)
  assert.equal((await login(`${TOKEN}-echo`)).reply.code, 454)
  const client = await connect()
  assert.equal((await authXoauth2(client, TOKEN, 'joe')).reply.code, 235)
  const { text } = await client.command('MAIL FROM:<boss@elsewhere.test>')
  assert.match(text, /\(id /)
  await client.quit()
  await again.stop()
  return text
}

function problems(): readonly string[] {
  return postern.log().filter(line => line['event'] === 'failed').map(line => String(line['error']))
}

function failures(): readonly unknown[] {
  return postern.log().filter(line => line['event'] === 'login-failed')
}
