/**
 * Those who speak for others, and those who speak LMTP: HAProxy in front of Postern, swaks with PROXY
 * headers and XCLIENT, and Postfix's lmtp client over TCP and over a UNIX socket.
 *
 * Loopback addresses stand for the machines: 127.0.0.2 is the proxy, 127.0.0.3 the filter.
 */

import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { makeAuthority, type CertificateFiles, type OpensslAuthority } from '../support/certificates.ts'
import { showing, startPostern, type Postern } from '../support/postern.ts'
import { freePorts, run, waitFor } from '../support/processes.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'
import { missing, missingAsRoot, program } from './programs.ts'
import { HAPROXY, startHaproxy } from './servers/haproxy.ts'
import type { MailServer } from './servers/mail-server.ts'
import { startPostfix } from './servers/postfix.ts'

const PROXY = '127.0.0.2'
const FILTER = '127.0.0.3'
const CLIENT = '127.0.0.9'

let folder: string
let authority: OpensslAuthority
let sink: Sink
let postern: Postern
let joe: CertificateFiles
let lmtpPort: number
let lmtpSocket: string

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-peers-'))
  chmodSync(folder, 0o755)
  authority = await makeAuthority(join(folder, 'authority'), 'The Other Side')
  sink = await startSink()
  const ports = await freePorts(1)
  lmtpPort = ports[0] ?? 0
  const listed = { 'proxy-from': [PROXY], 'xclient-from': [FILTER] }
  postern = await startPostern({
    smarthost: sink.port,
    settings: {
      listeners: { mx: listed, submissions: listed, lmtp: { enabled: true, address: `127.0.0.1:${lmtpPort}` } },
      queue: { workers: 1 },
    },
    access: ['Connect:192.0.2.60 RELAY', `Connect:${FILTER} RELAY`],
  })
  joe = await postern.issue('joe', '--email', 'joe@example.test')
  lmtpSocket = join(folder, 'lmtp.sock')
})

after(async () => {
  await postern?.dispose()
  await sink?.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('HAProxy', { skip: missing(HAPROXY) }, () => {
  let haproxy: MailServer
  let fronts: { readonly port: number; readonly header: string; readonly isImplicit: boolean }[]

  before(async () => {
    const headers = ['send-proxy', 'send-proxy-v2', 'send-proxy-v2 proxy-v2-options crc32c,unique-id,ssl,cert-cn']
    const ports = await freePorts(2 * headers.length)
    fronts = headers.flatMap((header, index) => [
      { port: ports[2 * index] ?? 0, header, isImplicit: false },
      { port: ports[2 * index + 1] ?? 0, header, isImplicit: true },
    ])
    const to = (isImplicit: boolean): number => (isImplicit ? postern.ports.submissions : postern.ports.mx)
    haproxy = await startHaproxy(fronts.map(({ port, header, isImplicit }) => ({ port, header, to: to(isImplicit) })), PROXY)
  })

  after(() => haproxy?.stop())

  for (const [at, header] of ['send-proxy', 'send-proxy-v2', 'send-proxy-v2 with extensions and a checksum'].entries()) {
    for (const isImplicit of [false, true]) {
      test(`${header}, ${isImplicit ? 'in front of TLS from the first byte' : 'and STARTTLS behind it'}: the client's address and certificate`, async () => {
        const { port } = fronts[2 * at + (isImplicit ? 1 : 0)] ?? { port: 0 }
        const tls = showing(postern, joe)
        const client = await SmtpClient.connect(port, isImplicit ? tls : undefined, CLIENT)
        assert.equal((await client.greet()).code, 250, haproxy.log())
        if (!isImplicit) {
          await client.startTls(tls)
          await client.command('EHLO laptop.example.test')
        }
        const subject = `through ${header}, ${isImplicit ? 'implicit' : 'explicit'}`
        const queued = await client.deliver({ from: 'joe@example.test', to: 'bob@example.net', text: `Subject: ${subject}\r\n\r\nHello.\r\n` })
        assert.equal(queued.code, 250, queued.text)
        await client.quit()
        const { text } = await sink.messageWith(subject)
        assert.match(text, new RegExp(`^Received: from laptop\\.example\\.test \\(\\[${CLIENT.replaceAll('.', '\\.')}\\]\\)`))
        assert.match(text, /verify=OK/)
      })
    }
  }

  test('health checks are the proxy itself, and the log has its address', async () => {
    await waitFor('checks', () => postern.log().some(line => line['event'] === 'connected' && line['client'] === PROXY))
    assert.ok(postern.log().some(line => line['event'] === 'connected' && line['client'] === CLIENT && line['proxy'] === PROXY))
    assert.deepEqual(postern.log().filter(line => line['event'] === 'turned-away' && String(line['why']).includes('checksum')), [])
  })
})

describe('swaks', { skip: missing('swaks') }, () => {
  const swaks = (from: string, ...more: readonly string[]): ReturnType<typeof run> =>
    run(program('swaks'), [
      '--server', '127.0.0.1', '--port', String(postern.ports.mx), '--local-interface', from, '--timeout', '20s',
      '--helo', 'relay.example.com', '--from', 'ann@example.com', '--to', 'bob@example.net', ...more,
    ])
  const header = (version: string, source: string): readonly string[] => [
    '--proxy-version', version, '--proxy-family', version === '1' ? 'TCP4' : 'AF_INET', '--proxy-source', source,
    '--proxy-source-port', '50000', '--proxy-dest', '192.0.2.1', '--proxy-dest-port', '25',
  ]

  for (const version of ['1', '2']) {
    test(`--proxy-version ${version}: judged by the address that it names`, async () => {
      const relayed = await swaks(PROXY, ...header(version, '192.0.2.60'), '--header', `Subject: swaks proxy ${version}`)
      assert.equal(relayed.code, 0, relayed.stdout + relayed.stderr)
      await sink.messageWith(`swaks proxy ${version}`)
      assert.notEqual((await swaks(PROXY, ...header(version, '192.0.2.7'))).code, 0)
      assert.notEqual((await swaks('127.0.0.1', ...header(version, '192.0.2.60'))).code, 0, 'and not from anywhere else')
    })
  }

  test('--xclient-addr: judged by the address that it names, and not by its own', async () => {
    const relayed = await swaks(FILTER, '--xclient-addr', '192.0.2.60', '--xclient-name', 'relay.example.com', '--xclient-helo', 'relay.example.com', '--xclient-port', '50000', '--xclient-proto', 'ESMTP', '--header', 'Subject: swaks xclient')
    assert.equal(relayed.code, 0, relayed.stdout + relayed.stderr)
    assert.match((await sink.messageWith('swaks xclient')).text, /^Received: from relay\.example\.com \(relay\.example\.com \[192\.0\.2\.60\]\)/)
    assert.notEqual((await swaks(FILTER, '--xclient-addr', '192.0.2.7')).code, 0)
    assert.notEqual((await swaks('127.0.0.1', '--xclient-addr', '192.0.2.60', '--xclient-no-verify')).code, 0)
  })
})

for (const way of ['TCP', 'a UNIX socket'] as const) {
  describe(`Postfix's lmtp over ${way}`, { skip: missingAsRoot('postfix') }, () => {
    let own: Postern | null = null
    let postfix: MailServer

    before(async () => {
      const [port = 0] = await freePorts(1)
      if (way === 'a UNIX socket') {
        const lmtp = { enabled: true, address: `unix:${lmtpSocket}`, mode: '0666' }
        own = await startPostern({ smarthost: sink.port, settings: { listeners: { lmtp }, queue: { workers: 1 } } })
      }
      const to = way === 'TCP' ? `lmtp:[127.0.0.1]:${lmtpPort}` : `lmtp:unix:${lmtpSocket}`
      const certificate = await authority.issue({ name: 'localhost', alternativeNames: 'DNS:localhost', usage: 'serverAuth' })
      postfix = await startPostfix({ port, certificate, relayFor: 'this machine', nextHop: { port: sink.port, tls: null }, settings: { relayhost: '', default_transport: to } })
    })

    after(async () => {
      await postfix?.stop()
      await own?.dispose()
    })

    test('each recipient has an answer of its own', async () => {
      const client = await SmtpClient.connect(postfix.port)
      await client.greet()
      await client.command('MAIL FROM:<ann@example.com>')
      for (const to of ['joe@example.test', 'jane@example.test', 'bob@example.net']) assert.equal((await client.command(`RCPT TO:<${to}>`)).code, 250)
      await client.command('DATA')
      client.send(`Subject: by lmtp over ${way}\r\n\r\nHello.\r\n.\r\n`)
      assert.equal((await client.reply()).code, 250)
      await client.quit()

      const message = await sink.messageWith(`by lmtp over ${way}`)
      assert.deepEqual(message.forwardPaths.toSorted(), ['jane@example.test', 'joe@example.test'])
      assert.match(message.text, /\(Postern\) with LMTP id /)
      const status = (recipient: string): RegExp => new RegExp(`to=<${recipient}>.*status=(?:sent \\(250 2\\.0\\.0 Queued as|bounced \\(.*550 5\\.7\\.1)`)
      for (const recipient of ['joe@example\\.test', 'jane@example\\.test', 'bob@example\\.net']) {
        await waitFor(`Postfix to log ${recipient}`, () => status(recipient).test(postfix.log()), { told: () => postfix.log() })
      }
      assert.doesNotMatch(postfix.log(), /postfix\/lmtp.*(?:protocol error|lost connection)/)
    })
  })
}
