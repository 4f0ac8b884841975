/**
 * Postfix and Sendmail on either side of Postern: as the next hop that wants our certificate over TLS
 * we verify, and as the client that relays through us by certificate.
 */

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { makeAuthority, type CertificateFiles, type OpensslAuthority } from '../support/certificates.ts'
import { showing, startPostern, type Postern } from '../support/postern.ts'
import { freePorts, waitFor } from '../support/processes.ts'
import { startSink, type Sink, type SinkMessage } from '../support/sink.ts'
import { SmtpClient, type SmtpReply } from '../support/smtp-client.ts'
import { missingAsRoot } from './programs.ts'
import type { MailServer, MailServerOptions } from './servers/mail-server.ts'
import { startPostfix } from './servers/postfix.ts'
import { SENDMAIL, startSendmail } from './servers/sendmail.ts'

type Peer = {
  readonly name: string
  readonly skip: string | false
  readonly start: (options: MailServerOptions) => Promise<MailServer>
  /** What its header says of a client whose certificate verified; `{CN}` is the common name. */
  readonly verified: string
  /** Its reply to somebody without a certificate. */
  readonly refusal: number
}

const PEERS: readonly Peer[] = [
  {
    name: 'Postfix',
    skip: missingAsRoot('postfix'),
    start: startPostfix,
    verified: '\\(Client CN "{CN}", Issuer "[^"]+" \\(verified OK\\)\\)',
    refusal: 554,
  },
  {
    name: 'Sendmail',
    skip: missingAsRoot(SENDMAIL, 'm4'),
    start: startSendmail,
    verified: 'X-Client-Certificate: OK \\S*/CN={CN}\\r\\n',
    refusal: 454,
  },
]

/** What `queue list --json` prints, as far as it is looked at here. */
type Queued = { readonly recipients: readonly { readonly lastReply: string | null }[] }

const LETTER = { from: 'joe@example.test', to: 'ann@example.net' }

let folder: string
let authority: OpensslAuthority
/** Of the test's own authority: what the peers show to their clients. */
let localhost: CertificateFiles
let sink: Sink

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-servers-'))
  authority = await makeAuthority(join(folder, 'authority'), 'The Other Side')
  localhost = await authority.issue({ name: 'localhost', alternativeNames: 'DNS:localhost', usage: 'serverAuth' })
  sink = await startSink()
})

after(async () => {
  await sink?.stop()
  rmSync(folder, { recursive: true, force: true })
})

for (const peer of PEERS) {
  describe(peer.name, { skip: peer.skip }, () => {
    test('takes our mail by our certificate, over TLS that we verify', async t => {
      const { postern, server } = await asNextHop(t, peer, authority)
      const subject = `by way of Postern to ${peer.name}`
      const reply = await sendByCertificate(postern, subject)
      assert.equal(reply.code, 250, reply.text)
      const message = await arrived(subject, () => `${postern.output()}\n${server.log()}`)
      assert.match(message.text, new RegExp(peer.verified.replace('{CN}', 'relay\\.example\\.test')))
      assert.match(message.text, /by relay\.example\.test \(Postern\)/)

      const anonymous = await sendInTheClear(server.port, 'without a certificate')
      assert.equal(anonymous.code, peer.refusal, `${peer.name} refuses whoever has none: ${anonymous.text}`)
    })

    test('gets nothing from us while we do not trust its certificate', async t => {
      const strangers = await makeAuthority(join(folder, `strangers-${peer.name}`), 'Strangers')
      const { postern } = await asNextHop(t, peer, strangers)
      const subject = `not for an unverified ${peer.name}`
      const reply = await sendByCertificate(postern, subject)
      assert.equal(reply.code, 250, reply.text)
      assert.match(await lastReply(postern), /certificate/i)
      assert.ok(!sink.messages.some(message => message.text.includes(subject)), 'the message stays with us')
    })

    test('gets what the access map lets it have, by the lines of the last reload', async t => {
      const { postern, server } = await asNextHop(t, peer, authority, 'opportunistic')
      const access = join(postern.folder, 'access')
      const usual = readFileSync(access, 'utf8')
      const sendUnder = async (lines: string, subject: string): Promise<void> => {
        writeFileSync(access, `${lines}\n${usual}`)
        assert.equal((await postern.command(['reload'])).code, 0)
        assert.equal((await sendByCertificate(postern, subject)).code, 250)
      }
      const subject = `to the ${peer.name} whose certificate is asked for`
      await sendUnder('TLS_Srv:localhost PERM+VERIFY:128+CN\nTLS_Rcpt:ann@example.net VERIFY+CI:/O=The+20Other+20Side/CN=The+20Other+20Side+20Root', subject)
      await arrived(subject, () => `${postern.output()}\n${server.log()}`)
      await sendUnder('TLS_Srv:localhost PERM+VERIFY+CI:/CN=Somebody+20Else', `not for ${peer.name}`)
      const failed = await waitFor('the refusal in the log', () => postern.log().find(({ event }) => event === 'failed'), { told: postern.output })
      assert.match(String(failed['said']), /^503 5\.7\.0 certificate issuer does not match \(our own rule for localhost/)
      assert.deepEqual(failed['accessLines'], ['access:1 TLS_Srv:localhost PERM+VERIFY+CI:/CN=Somebody+20Else'])
      const delivered = postern.log().find(({ event }) => event === 'delivered')
      assert.match(JSON.stringify(delivered?.['accessLines']), /^\["access:1 TLS_Srv:localhost [^"]+","access:2 TLS_Rcpt:ann@example\.net [^"]+"\]$/)
      assert.ok(!sink.messages.some(message => message.text.includes(`not for ${peer.name}`)))
    })

    test('relays through us by certificate', async t => {
      const postern = await startPostern({ smarthost: sink.port })
      t.after(() => postern.dispose())
      const certificate = await postern.issue('web7', '--machine', '--sender', '@example.test')
      const [port = 0] = await freePorts(1)
      const server = await peer.start({
        port,
        certificate: localhost,
        relayFor: 'this machine',
        nextHop: { port: postern.ports.submission, tls: { authority: postern.authority, certificate } },
      })
      t.after(() => server.stop())

      const subject = `from ${peer.name} by way of Postern`
      const reply = await sendInTheClear(server.port, subject)
      assert.equal(reply.code, 250, reply.text)
      const message = await arrived(subject, () => `${server.log()}\n${postern.output()}`)
      assert.match(message.text, /by relay\.example\.test \(Postern\) with ESMTPS id/)
      assert.match(message.text, /verify=OK\)/)
      assert.match(message.text, /subject=\S*\/CN=web7/)
    })
  })
}

/** Postern with the peer as its next hop, over TLS by the certificates of `trusted`; the peer relays for Postern's certificate alone. */
async function asNextHop(t: TestContext, peer: Peer, trusted: OpensslAuthority, tls = 'verify'): Promise<{ postern: Postern; server: MailServer }> {
  const [port = 0] = await freePorts(1)
  const postern = await startPostern({
    settings: { delivery: { smarthost: `localhost:${port}`, tls, 'trusted-ca': [trusted.certificate] } },
  })
  t.after(() => postern.dispose())
  const server = await peer.start({
    port,
    certificate: localhost,
    relayFor: { authority: postern.authority },
    nextHop: { port: sink.port, tls: null },
  })
  t.after(() => server.stop())
  return { postern, server }
}

/** What the queue says of the last attempt for the only message in it. */
async function lastReply(postern: Postern): Promise<string> {
  return waitFor('a first attempt', async () => {
    const queue = (await postern.json(['queue', 'list'])) as readonly Queued[]
    return queue[0]?.recipients[0]?.lastReply
  })
}

async function arrived(subject: string, told: () => string): Promise<SinkMessage> {
  try {
    return await sink.messageWith(`Subject: ${subject}\r\n`)
  } catch (error) {
    throw new Error(`${String(error)}\n${told()}`, { cause: error })
  }
}

async function sendByCertificate(postern: Postern, subject: string): Promise<SmtpReply> {
  const joe = await certificateOfJoe(postern)
  const client = await SmtpClient.connect(postern.ports.submission)
  await client.greet()
  await client.startTls(showing(postern, joe))
  return sendAndLeave(client, subject)
}

/** Issued once for each Postern. */
async function certificateOfJoe(postern: Postern): Promise<CertificateFiles> {
  const issued = joes.get(postern) ?? (await postern.issue('joe', '--email', LETTER.from))
  joes.set(postern, issued)
  return issued
}

const joes = new WeakMap<Postern, CertificateFiles>()

async function sendInTheClear(port: number, subject: string): Promise<SmtpReply> {
  const client = await SmtpClient.connect(port)
  await client.reply()
  return sendAndLeave(client, subject)
}

async function sendAndLeave(client: SmtpClient, subject: string): Promise<SmtpReply> {
  await client.command('EHLO laptop.example.test')
  const reply = await client.deliver({ ...LETTER, text: `Subject: ${subject}\r\n\r\nHello.\r\n` })
  await client.quit()
  return reply
}
