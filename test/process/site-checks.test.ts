/** `[checks]`: what strangers at mx are asked for, against a DNS server of the test's own (S22). */

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { CertificateFiles } from '../support/certificates.ts'
import { startDnsServer } from '../support/dns-server.ts'
import type { DnsServer } from '../support/dns-server.ts'
import { showing, startPostern } from '../support/postern.ts'
import type { Postern } from '../support/postern.ts'
import { SmtpClient, type SmtpReply } from '../support/smtp-client.ts'

let dns: DnsServer
let postern: Postern
let joe: CertificateFiles

const NAMED = [1, 2, 3, 4, 5, 6, 7]
const LISTED = 'list.example.net'

before(async () => {
  dns = await startDnsServer(
    new Map<string, readonly string[] | 'SERVFAIL'>([
      ...NAMED.map(host => [`PTR ${host}.40.0.127.in-addr.arpa`, [`h${host}.example.net`]] as const),
      ...NAMED.map(host => [`A h${host}.example.net`, [`127.0.40.${host}`]] as const),
      ['PTR 8.40.0.127.in-addr.arpa', 'SERVFAIL'],
      ['PTR 10.40.0.127.in-addr.arpa', ['gone.example.net', 'gone-too.example.net']],
      ['PTR 11.40.0.127.in-addr.arpa', ['gone.example.net', 'moved.example.net']],
      ['A moved.example.net', ['192.0.2.11']],
      ['PTR 12.40.0.127.in-addr.arpa', ['moved.example.net', 'unsure.example.net']],
      ['A unsure.example.net', 'SERVFAIL'],
      ['AAAA unsure.example.net', 'SERVFAIL'],
      [`A 1.40.0.127.${LISTED}`, ['127.0.0.2']],
      [`A 3.40.0.127.${LISTED}`, 'SERVFAIL'],
      [`A 4.40.0.127.${LISTED}`, ['127.255.255.254']],
      [`A 5.40.0.127.${LISTED}`, ['192.0.2.80']],
      [`A 6.40.0.127.${LISTED}`, ['127.0.0.2']],
      ['A 7.40.0.127.other.example.net', ['127.0.0.9']],
      ['A 2.40.0.127.other.example.net', ['127.0.0.4']],
      ['MX example.com', ['mx.example.com']],
      ['MX broken.example', 'SERVFAIL'],
      ['MX null.example', ['.']],
      ['A null.example', ['192.0.2.12']],
    ]),
  )
  const checks = {
    helo: true,
    'reverse-name': true,
    'sender-domain': true,
    'dns-blocklists': [{ zone: LISTED }, { zone: 'other.example.net', answers: ['127.0.0.9'] }],
  }
  const settings = { queue: { workers: 1 }, checks, delivery: { resolvers: [`127.0.0.1:${dns.port}`] } }
  postern = await startPostern({ smarthost: 1, settings, access: ['Connect:127.0.40.6\tOK', 'From:welcome@nowhere.example\tOK'] })
  joe = await postern.issue('joe', '--email', 'joe@example.test')
})

after(async () => {
  await postern?.dispose()
  dns?.stop()
})

test('S22: an address on a list is refused with the zone, and explain says what the list answered', async () => {
  const reply = await mail(1)
  assert.equal(reply.code, 550)
  const [, id = ''] = /^5\.7\.1 Your address is listed at list\.example\.net \(id (\S+)\)$/.exec(reply.text) ?? []
  const { stdout } = await postern.command(['explain', id])
  assert.deepEqual(dns.asked.filter(question => question.endsWith(LISTED)), [`A 1.40.0.127.${LISTED}`], 'for A records alone')
  assert.match(stdout, /127\.0\.40\.1 is listed at list\.example\.net \(127\.0\.0\.2\)\n=> refused \(blocklisted\)/)
  assert.match(stdout, /To change that: have the list take 127\.0\.40\.1 off, take the list out of checks\.dns-blocklists; or a line `Connect:127\.0\.40\.1 OK` in access would take it all the same\./)
})

test('S22: no list refuses by failing, by an error of its own, or by an answer that is none', async () => {
  assert.equal((await mail(3)).code, 250, 'SERVFAIL')
  assert.equal((await mail(4)).code, 250, '127.255.255.254 says that the question was refused')
  assert.equal((await mail(5)).code, 250, 'an address outside 127.0.0.0/8')
})

test('of a list with answers only those count', async () => {
  assert.equal((await mail(2)).code, 250)
  assert.match((await mail(7)).text, /listed at other\.example\.net/)
})

test('whoever proves an identity, and whoever a line welcomes, is asked nothing', async () => {
  const before = dns.asked.length
  assert.equal((await mail(6)).code, 250)
  const client = await SmtpClient.connect(postern.ports.mx, undefined, '127.0.40.1')
  await client.greet()
  await client.startTls(showing(postern, joe))
  await client.command('EHLO mail.example.com')
  assert.equal((await client.command('MAIL FROM:<joe@example.test>')).code, 250)
  client.destroy()
  assert.deepEqual(dns.asked.slice(before), [])
})

test('a client without a host name is refused; one whose name cannot be looked up now comes back later', async () => {
  for (const host of [9, 10]) assert.equal(words(await mail(host)), '550 5.7.25 Fix the reverse DNS of your address', 'no name, or none that exists')
  assert.equal(words(await mail(11)), '451 4.7.25 Your host name does not lead back to your address')
  for (const host of [8, 12]) assert.equal(words(await mail(host)), '451 4.4.3 Your host name cannot be looked up now')
})

test('the sender\'s domain must exist, unless a line speaks for the sender; the null sender has none', async () => {
  assert.equal(words(await mail(2, 'ann@nowhere.example')), '553 5.1.8 Domain of sender address does not exist')
  assert.equal(words(await mail(2, 'ann@broken.example')), '451 4.1.8 Domain of sender address does not resolve')
  assert.equal(words(await mail(2, 'ann@null.example')), '550 5.7.27 Domain of sender address takes no mail')
  assert.equal((await mail(2, 'welcome@nowhere.example')).code, 250)
  assert.equal((await mail(2, '')).code, 250)
})

test('what stands after HELO must have the form of a name or of an address, and is not looked up', async () => {
  for (const good of ['mail.example.com', 'unknown-to-dns.invalid', 'localhost', '[192.0.2.7]', '[IPv6:2001:db8::7]', 'my_pc']) {
    assert.equal((await mail(2, 'ann@example.com', good)).code, 250, good)
  }
  for (const bad of ['192.0.2.7', '-dash.example', 'two..dots', '[192.0.2.300]', 'a/b']) {
    const reply = await mail(2, 'ann@example.com', bad)
    assert.equal(words(reply), '550 5.7.1 After EHLO belongs your host name, or your address in brackets', bad)
  }
  const [, id = ''] = /\(id (\S+)\)$/.exec((await mail(2, 'ann@example.com', 'a/b')).text) ?? []
  const { stdout } = await postern.command(['explain', id])
  assert.match(stdout, /To change that: the client must say its host name after EHLO, or its address in brackets; or a line `Connect:127\.0\.40\.2 OK`/)
})

test('a list of recipients is read at a reload, and one with a mistake in it is not', async () => {
  const [settings, list] = ['postern.toml', 'recipients'].map(name => path.join(postern.folder, name)) as [string, string]
  writeFileSync(list, 'ann@example.test\n')
  writeFileSync(settings, readFileSync(settings, 'utf8').replace(/^\[checks\]$/m, '[checks]\nrecipients = "recipients"'))
  assert.deepEqual(await postern.json(['reload']), { inForce: true, problems: [], warnings: [], afterRestart: [] })
  assert.deepEqual([await rcpt('ann@example.test'), await rcpt('eve@example.test')], ['250 2.1.5 Recipient OK', '550 5.1.1 User unknown'])

  writeFileSync(list, 'ann@example.test\neve\n')
  const { stderr, stdout } = await postern.command(['reload'])
  assert.match(`${stdout}${stderr}`, /recipients:2: "eve" is no address/)
  assert.equal(await rcpt('eve@example.test'), '550 5.1.1 User unknown')
})

async function rcpt(to: string): Promise<string> {
  const client = await SmtpClient.connect(postern.ports.mx, undefined, '127.0.40.2')
  await client.reply()
  await client.command('HELO mail.example.com')
  await client.command('MAIL FROM:<ann@example.com>')
  const reply = await client.command(`RCPT TO:<${to}>`)
  client.destroy()
  return words(reply)
}

async function mail(host: number, from = 'ann@example.com', hello = 'mail.example.com'): Promise<SmtpReply> {
  const client = await SmtpClient.connect(postern.ports.mx, undefined, `127.0.40.${host}`)
  await client.reply()
  await client.command(`HELO ${hello}`)
  const reply = await client.command(`MAIL FROM:<${from}>`)
  client.destroy()
  return reply
}

function words({ code, text }: SmtpReply): string {
  return `${code} ${text.replace(/ \(id .*/, '')}`
}
