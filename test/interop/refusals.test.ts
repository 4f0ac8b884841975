/**
 * Who has no certificate that counts is refused, whatever the program, and the administrator is told why.
 */

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { makeAuthority, openAuthority, type CertificateFiles } from '../support/certificates.ts'
import { startPostern, type Postern } from '../support/postern.ts'
import type { Finished } from '../support/processes.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { curl } from './clients/curl.ts'
import { msmtp } from './clients/msmtp.ts'
import { mutt } from './clients/mutt.ts'
import { openssl } from './clients/openssl.ts'
import { pythonSmtplib } from './clients/python-smtplib.ts'
import { sNail } from './clients/s-nail.ts'
import { swaks } from './clients/swaks.ts'
import type { Login, MailClient, Route } from './mail-client.ts'
import { missing } from './programs.ts'

type Case = {
  readonly name: string
  readonly certificate: () => CertificateFiles | null
  /** On `mx`, the start of the reply to RCPT; on the submission listeners, of that to MAIL. */
  readonly onMx: string
  readonly onSubmission: string
  /** In what `postern explain` says. */
  readonly explained: RegExp
}

const CASES: readonly Case[] = [
  {
    name: 'no certificate',
    certificate: () => null,
    onMx: '550 5.7.1',
    onSubmission: '530 5.7.0',
    explained: /no certificate/i,
  },
  {
    name: 'a certificate of a foreign authority',
    certificate: () => foreign,
    onMx: '550 5.7.1',
    onSubmission: '550 5.7.1',
    explained: /not trusted|untrusted|not from an authority that is trusted/i,
  },
  {
    name: 'an expired certificate',
    certificate: () => expired,
    onMx: '550 5.7.1',
    onSubmission: '550 5.7.1',
    explained: /expired/i,
  },
  {
    name: 'a revoked certificate',
    certificate: () => revoked,
    onMx: '550 5.7.1',
    onSubmission: '550 5.7.1',
    explained: /revoked/i,
  },
]

/** What `explain --json` prints. */
type Explanation = {
  readonly id: string
  readonly verdict: string
  readonly reply: { readonly code: number; readonly enhanced: string; readonly text: string }
  readonly because: readonly unknown[]
}

/** OpenSSL shows any certificate it is given; GnuTLS only those whose issuer the server named. */
const SHOW_ANYTHING = [swaks, curl, openssl, pythonSmtplib, sNail]
const SHOW_WHAT_IS_ASKED_FOR = [msmtp, mutt]

let sink: Sink
let postern: Postern
let foreign: CertificateFiles
let expired: CertificateFiles
let revoked: CertificateFiles

before(async () => {
  sink = await startSink()
  postern = await startPostern({ smarthost: sink.port })
  const folder = join(postern.folder, '..')
  const ca = (name: string): string => join(postern.folder, 'ca', name)
  const wanted = { alternativeNames: 'email:joe@example.test', usage: 'clientAuth' } as const

  const others = await makeAuthority(join(folder, 'others'), 'Somebody Else')
  foreign = await others.issue({ ...wanted, name: 'foreign' })
  const ours = { certificate: ca('issuing.pem'), key: ca('issuing.key'), chain: [ca('issuing.pem')] }
  expired = await openAuthority(join(folder, 'ours'), ours).issue({ ...wanted, name: 'expired', fromDay: -20, toDay: -1 })
  revoked = await postern.issue('revoked', '--email', 'joe@example.test')
  const done = await postern.command(['user', 'revoke', 'revoked'])
  assert.equal(done.code, 0, done.stdout + done.stderr)
})

after(async () => {
  await postern?.dispose()
  await sink?.stop()
})

for (const refused of CASES) {
  const clients = refused.name === 'no certificate' ? [...SHOW_ANYTHING, ...SHOW_WHAT_IS_ASKED_FOR] : SHOW_ANYTHING
  describe(refused.name, () => {
    for (const client of clients) {
      test(`${client.name} is refused on mx, and told why`, { skip: missing(client.program) }, async () => {
        const reply = refusalIn(await attempt(client, 'mx', refused.certificate()))
        assert.ok(reply.startsWith(refused.onMx), reply)
        await explains(reply, refused)
      })
    }
    for (const listener of ['submission', 'submissions'] as const) {
      test(`swaks is refused on ${listener}, and told why`, { skip: missing('swaks') }, async () => {
        const reply = refusalIn(await attempt(swaks, listener, refused.certificate()))
        assert.ok(reply.startsWith(refused.onSubmission), reply)
        await explains(reply, refused)
      })
    }
  })
}

for (const client of SHOW_WHAT_IS_ASKED_FOR) {
  test(`${client.name} keeps a foreign certificate to itself, and is refused`, { skip: missing(client.program) }, async () => {
    const reply = refusalIn(await attempt(client, 'mx', foreign))
    assert.match(reply, /^550 5\.7\.1 .*no certificate/)
  })
}

test('msmtp is refused a sender that is not in its certificate', { skip: missing(msmtp.program) }, async () => {
  const joe = await postern.issue('joe', '--email', 'joe@example.test')
  const reply = refusalIn(await attempt(msmtp, 'submission', joe, { from: 'the-boss@example.test' }))
  assert.match(reply, /^550 5\.7\.1 Sender address not allowed/)
})

test('Python cannot log in by AUTH EXTERNAL as somebody else', { skip: missing(pythonSmtplib.program) }, async () => {
  const ann = await postern.issue('ann', '--email', 'ann@example.test')
  const finished = await attempt(pythonSmtplib, 'submission', ann, { from: 'joe@example.test', login: 'external' })
  assert.match(finished.stderr, /535, b'5\.7\.8 /)
})

test('msmtp that sends MAIL in place of its AUTH answer gets 501, and the session ends', { skip: missing(msmtp.program) }, async () => {
  const bob = await postern.issue('bob', '--email', 'bob@example.test')
  // Without a `user`, msmtp takes our 334 for the end of AUTH EXTERNAL and goes on with MAIL.
  const finished = await attempt(msmtp, 'submission', bob, { from: 'bob@example.test', login: 'external-empty' })
  assert.match(finished.stderr, /501 5\.5\.2 /)
})

test('no refused message reached the next hop', () => {
  assert.deepEqual(sink.messages, [])
})

async function attempt(
  client: MailClient,
  listener: keyof Postern['ports'],
  certificate: CertificateFiles | null,
  { from = 'joe@example.test', login = 'certificate' }: { readonly from?: string; readonly login?: Login } = {},
): Promise<Finished> {
  const route: Route = {
    port: postern.ports[listener],
    tls: listener === 'submissions' ? 'implicit' : 'starttls',
    login,
    authority: postern.authority,
    certificate,
    folder: join(postern.folder, '..'),
  }
  const mail = { from, to: 'ann@example.net', subject: 'refused', text: 'This must not arrive.' }
  const finished = await client.send(route, mail)
  assert.notEqual(finished.code, 0, `${finished.stdout}${finished.stderr}`)
  return finished
}

/** The reply as the client shows it to its user; each shows it in words of its own around it. */
function refusalIn({ stdout, stderr }: Finished): string {
  const said = `${stdout}\n${stderr}`
  const plain = said.replaceAll(/\((\d{3}), b'/g, '$1 ') // Python prints a pair of code and text.
  const reply = /\b5[35]0[ -]5\.7\.[01] [^\r\n]*\(id [a-z0-9.]+\)/.exec(plain)?.[0]
  assert.ok(reply !== undefined, `the client shows the reply with its id:\n${said}`)
  return reply
}

/** `postern explain ID` has the same verdict and the reason in words, for people and for programs. */
async function explains(reply: string, refused: Case): Promise<void> {
  const id = /\(id ([a-z0-9.]+)\)/.exec(reply)?.[1] ?? ''
  const words = await postern.command(['explain', id])
  assert.equal(words.code, 0, words.stderr)
  assert.match(words.stdout, refused.explained)

  const explanation = (await postern.json(['explain', id])) as Explanation
  assert.equal(explanation.id, id)
  assert.equal(explanation.verdict, 'refuse')
  assert.equal(`${explanation.reply.code} ${explanation.reply.enhanced}`, reply.slice(0, '550 5.7.1'.length))
  assert.ok(explanation.because.length > 0, 'a refusal has reasons')
}
