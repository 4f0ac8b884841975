/**
 * Real mail clients send a message by user name and password, in each mechanism they know, over
 * STARTTLS and implicit TLS; and GNU SASL binds its login to the TLS connection.
 */

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { makePostern, type Postern } from '../support/postern.ts'
import { waitFor } from '../support/processes.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { startTokenProvider, type TokenProvider } from '../support/token-provider.ts'
import type { Mail, Route } from './mail-client.ts'
import { gsasl, PASSWORD_CLIENTS, TOKEN_CLIENTS, type PasswordRoute } from './password-clients.ts'
import { missing } from './programs.ts'

const TOKEN = 'vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg=='

let provider: TokenProvider
let sink: Sink
let postern: Postern
let password: string

before(async () => {
  sink = await startSink()
  provider = await startTokenProvider(token => (token === TOKEN ? { active: true, sub: 'joe', scope: 'smtp' } : { active: false }))
  postern = await makePostern({
    smarthost: sink.port,
    settings: { oauth: { introspection: provider.url, 'client-id': 'postern', 'client-secret-file': 'oauth-secret', scope: ['smtp'] } },
  })
  writeFileSync(join(postern.folder, 'oauth-secret'), 'secret', { mode: 0o600 })
  await postern.start()
  await postern.issue('joe', '--email', 'joe@example.test')
  password = ((await postern.json(['user', 'passwd', 'joe', '--device', 'test'])) as { readonly password: string }).password
})

after(async () => {
  await postern?.dispose()
  await sink?.stop()
  await provider?.stop()
})

for (const client of PASSWORD_CLIENTS) {
  for (const tls of client.transports ?? (['starttls', 'implicit'] as const)) {
    for (const mechanism of client.mechanisms) {
      const how = mechanism === '' ? 'a mechanism of its own choice' : mechanism
      test(`${client.name} relays by ${how} over ${tls}`, { skip: missing(client.program) }, async () => {
        const mail = letter(`${client.name}, ${how}, ${tls}`)
        const finished = await client.send(routeFor(tls, mechanism), mail)
        assert.equal(finished.code, 0, finished.stdout + finished.stderr)
        const { text, reversePath } = await sink.messageWith(`Subject: ${mail.subject}\r\n`)
        assert.equal(reversePath, mail.from)
        assert.match(text, mechanism === '' ? /\(authenticated: \S+ joe\)/ : new RegExp(`\\(authenticated: ${mechanism} joe\\)`))
      })
    }
  }
}

for (const [mechanism, bind] of [
  ['SCRAM-SHA-256-PLUS', true],
  ['SCRAM-SHA-256', false],
  ['PLAIN', false],
  ['LOGIN', false],
] as const) {
  test(`GNU SASL logs in by ${mechanism}`, { skip: missing('gsasl') }, async () => {
    const seen = logins(mechanism)
    const finished = await gsasl(routeFor('starttls', mechanism), bind)
    const said = `${finished.stdout}${finished.stderr}`
    assert.match(said, /235 2\.7\.0 Authentication successful|Client authentication finished/, said)
    await waitFor('the login in the log', () => logins(mechanism) > seen)
  })
}

for (const client of TOKEN_CLIENTS) {
  for (const tls of ['starttls', 'implicit'] as const) {
    for (const mechanism of client.mechanisms) {
      const how = mechanism === '' ? 'a mechanism of its own choice' : mechanism
      test(`${client.name} relays with a token by ${how} over ${tls}`, { skip: missing(client.program) }, async () => {
        const mail = letter(`${client.name}, token, ${how}, ${tls}`)
        const finished = await client.send({ ...routeFor(tls, mechanism), password: TOKEN }, mail)
        assert.equal(finished.code, 0, finished.stdout + finished.stderr)
        const { text } = await sink.messageWith(`Subject: ${mail.subject}\r\n`)
        assert.match(text, new RegExp(`\\(authenticated: ${mechanism === '' ? 'OAUTHBEARER' : mechanism} joe\\)`))
        const guessed = await client.send({ ...routeFor(tls, mechanism), password: 'wrong' }, letter('a wrong token'))
        assert.notEqual(guessed.code, 0)
        assert.match(guessed.stderr, /Token not accepted/)
      })
    }
  }
}

test('a wrong password is refused, and every client says so', async () => {
  for (const client of PASSWORD_CLIENTS.filter(({ program }) => missing(program) === false)) {
    const [mechanism = ''] = client.mechanisms
    const finished = await client.send({ ...routeFor('starttls', mechanism), password: 'a wrong password' }, letter(`${client.name} guesses`))
    assert.notEqual(finished.code, 0, client.name)
  }
})

function logins(mechanism: string): number {
  return postern.log().filter(line => line['event'] === 'login' && line['mechanism'] === mechanism).length
}

function letter(subject: string): Mail {
  return { from: 'joe@example.test', to: 'ann@example.net', subject, text: 'Dear Ann,\n.this line begins with a dot' }
}

function routeFor(tls: Route['tls'], mechanism: string): PasswordRoute {
  const port = tls === 'starttls' ? postern.ports.submission : postern.ports.submissions
  return { port, tls, mechanism, user: 'joe@example.test', password, authority: postern.authority, folder: join(postern.folder, '..') }
}
