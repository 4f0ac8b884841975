/** LMTP over a UNIX socket and over TCP (RFC 2033), and what lies at a socket's path before us (S24). */

import assert from 'node:assert/strict'
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import type { TomlTable } from 'smol-toml'
import { makePostern, showing, startPostern, type Postern } from '../support/postern.ts'
import { freePorts } from '../support/processes.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { SmtpClient, type SmtpReply } from '../support/smtp-client.ts'

let folder: string
let sink: Sink

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-lmtp-'))
  chmodSync(folder, 0o755)
  sink = await startSink()
})

after(async () => {
  await sink?.stop()
  rmSync(folder, { recursive: true, force: true })
})

function lmtpAt(address: string, more: TomlTable = {}): TomlTable {
  return { listeners: { lmtp: { enabled: true, address, ...more } }, queue: { workers: 2 } }
}

async function at(postern: Promise<Postern>, work: (postern: Postern) => Promise<void>): Promise<void> {
  const running = await postern
  try {
    await work(running)
  } finally {
    await running.dispose()
  }
}

/** LHLO, a message to these, and the replies to its recipients and to its end. */
async function deliver(client: SmtpClient, subject: string, recipients: readonly string[]): Promise<{ readonly taken: number[]; readonly ends: SmtpReply[] }> {
  assert.match((await client.reply()).text, / LMTP /)
  assert.equal((await client.command('LHLO list.example.test')).code, 250)
  assert.equal((await client.command('MAIL FROM:<ann@example.com>')).code, 250)
  const taken: number[] = []
  for (const recipient of recipients) taken.push((await client.command(`RCPT TO:<${recipient}>`)).code)
  const ends: SmtpReply[] = []
  if (!taken.includes(250)) return { taken, ends }
  assert.equal((await client.command('DATA')).code, 354)
  client.send(`Subject: ${subject}\r\n\r\nHello.\r\n.\r\n`)
  for (const code of taken) if (code === 250) ends.push(await client.reply())
  return { taken, ends }
}

test('over a UNIX socket: a reply for each accepted recipient, and only our own domains', async () => {
  const path = join(folder, 'lmtp.sock')
  await at(startPostern({ smarthost: sink.port, settings: lmtpAt(`unix:${path}`, { mode: '0666' }) }), async postern => {
    assert.equal(lstatSync(path).mode & 0o777, 0o666)
    const client = await SmtpClient.connectLocally(path)
    const { taken, ends } = await deliver(client, 'by LMTP', ['joe@example.test', 'bob@example.net', 'jane@example.test'])
    assert.deepEqual(taken, [250, 550, 250])
    assert.deepEqual(ends.map(({ code }) => code), [250, 250])
    assert.equal(ends[0]?.text, ends[1]?.text)
    assert.equal((await client.command('NOOP')).code, 250, 'and no reply more')
    assert.equal((await client.command('STARTTLS')).code, 502, 'within this host there is nobody to hide from')
    await client.quit()
    const message = await sink.messageWith('by LMTP')
    assert.deepEqual(message.forwardPaths, ['joe@example.test', 'jane@example.test'])
    assert.match(message.text, /^Received: from list\.example\.test \(\[127\.0\.0\.1\]\)\r\n\tby relay\.example\.test \(Postern\) with LMTP id /)
    const status = (await postern.json(['status'])) as { readonly listeners: readonly { readonly address: string }[] }
    assert.ok(status.listeners.some(({ address }) => address === path))
  })
  assert.equal(existsSync(path), false, 'the socket goes with the program')
})

test('whoever may open the socket may relay, if the site says so', async () => {
  const path = join(folder, 'relay.sock')
  await at(startPostern({ smarthost: sink.port, settings: lmtpAt(`unix:${path}`, { relay: true }) }), async postern => {
    assert.equal(lstatSync(path).mode & 0o777, 0o660, 'others may not')
    const client = await SmtpClient.connectLocally(path)
    assert.deepEqual((await deliver(client, 'relayed by LMTP', ['bob@example.net'])).taken, [250])
    await client.quit()
    const stranger = await SmtpClient.connect(postern.ports.mx)
    await stranger.greet()
    await stranger.command('MAIL FROM:<ann@example.com>')
    assert.equal((await stranger.command('RCPT TO:<bob@example.net>')).code, 550, 'on mx nobody may because of it')
    stranger.destroy()
  })
})

test('over TCP it is as mx: our domains for everybody, the rest for certificates', async () => {
  const [port = 0] = await freePorts(1)
  await at(startPostern({ smarthost: sink.port, settings: lmtpAt(`127.0.0.1:${port}`) }), async postern => {
    const joe = await postern.issue('joe', '--email', 'joe@example.test')
    const plain = await SmtpClient.connect(port)
    assert.deepEqual((await deliver(plain, 'by LMTP over TCP', ['joe@example.test', 'bob@example.net'])).taken, [250, 550])
    plain.destroy()
    const client = await SmtpClient.connect(port)
    await client.reply()
    await client.command('LHLO laptop.example.test')
    await client.startTls(showing(postern, joe))
    await client.command('LHLO laptop.example.test')
    assert.equal((await client.command('MAIL FROM:<joe@example.test>')).code, 250)
    assert.equal((await client.command('RCPT TO:<bob@example.net>')).code, 250)
    client.destroy()
  })
})

test('S24: nothing but a socket that nobody listens on is removed to make room', async () => {
  const path = join(folder, 'taken.sock')
  const postern = await makePostern({ settings: lmtpAt(`unix:${path}`) })
  try {
    const refused = async (why: RegExp): Promise<void> => void (await assert.rejects(postern.start(), why))
    writeFileSync(path, 'a file')
    await refused(/something else than a socket/)
    assert.equal(readFileSync(path, 'utf8'), 'a file')
    rmSync(path)

    symlinkSync(join(folder, 'elsewhere'), path)
    await refused(/something else than a socket/)
    rmSync(path)

    const other = createServer().listen(path)
    await once(other, 'listening')
    await refused(/another program listens/)
    other.close()
    await once(other, 'close')

    chmodSync(folder, 0o777)
    await refused(/others may write/)
    chmodSync(folder, 0o755)

    await postern.start()
    await postern.killAll()
    assert.ok(existsSync(path), 'it is left behind')
    await postern.start()
    const client = await SmtpClient.connectLocally(path)
    assert.equal((await client.reply()).code, 220)
    client.destroy()
  } finally {
    await postern.dispose()
  }
})

test('S24: a folder of somebody else is no place for a socket', { skip: process.getuid?.() !== 0 && 'needs root' }, async () => {
  const { chownSync } = await import('node:fs')
  const theirs = join(folder, 'theirs')
  mkdirSync(theirs)
  chownSync(theirs, 12345, 12345)
  const postern = await makePostern({ settings: lmtpAt(`unix:${join(theirs, 'lmtp.sock')}`) })
  await assert.rejects(postern.start(), /belongs to another account/)
  await postern.dispose()
})

test('a reload that names another address gives nobody rights before the restart', async () => {
  const [port = 0] = await freePorts(1)
  await at(startPostern({ smarthost: sink.port, settings: lmtpAt(`127.0.0.1:${port}`) }), async postern => {
    const file = join(postern.folder, 'postern.toml')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace(`"127.0.0.1:${port}"`, `"unix:${join(folder, 'later.sock')}"\nrelay = true`))
    await postern.command(['reload'])
    const client = await SmtpClient.connect(port)
    assert.deepEqual((await deliver(client, 'too early', ['bob@example.net'])).taken, [550])
    client.destroy()
  })
})

test('check says what would keep the socket from the next start, also while Postern runs', async () => {
  await at(startPostern({ smarthost: sink.port, settings: lmtpAt(`unix:${join(folder, 'now.sock')}`) }), async postern => {
    assert.equal((await postern.command(['check'])).code, 0)
    const file = join(postern.folder, 'postern.toml')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace('now.sock', 'missing/later.sock'))
    const missing = await postern.command(['check'])
    assert.equal(missing.code, 1)
    assert.match(missing.stdout, /^error +listeners\.lmtp: cannot listen on \S+later\.sock: there is no folder \S+missing; make it first$/m)
    writeFileSync(file, text.replace('now.sock"', 'later.sock"\ngroup = "nobody-is-in-it"'))
    assert.match((await postern.command(['check'])).stdout, /there is no group nobody-is-in-it; make it with/)
  })
})
