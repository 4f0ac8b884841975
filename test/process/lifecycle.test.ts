/** The life of the processes: crash and restart, reload, drain, and one Postern a data directory. */

import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { CertificateFiles } from '../support/certificates.ts'
import { makePostern, showing, startPostern } from '../support/postern.ts'
import type { Postern } from '../support/postern.ts'
import { freePorts, isOpen, signal, waitFor } from '../support/processes.ts'
import { startSink } from '../support/sink.ts'
import type { Sink } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'

type Status = { readonly workers: readonly { readonly pid: number; readonly restarts: number }[] }

let sink: Sink
let postern: Postern
let joe: CertificateFiles

before(async () => {
  sink = await startSink()
  postern = await startPostern({ smarthost: sink.port, settings: { queue: { workers: 2, retry: '1s' } } })
  joe = await postern.issue('joe', '--email', 'joe@example.test')
})

after(async () => {
  await postern?.dispose()
  await sink?.stop()
})

test('workers run as somebody who owns nothing of ours, when started as root', { skip: process.getuid?.() !== 0 && 'needs root' }, async () => {
  for (const { pid } of await workers()) {
    const ids = /^Uid:\s+(\d+)\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.slice(1) ?? []
    const groups = /^Groups:[ \t]*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]?.trim()
    assert.ok(ids.length === 3 && !ids.includes('0'), `S24: uids of worker ${pid}: ${ids.join(' ')}`)
    assert.equal(groups, '', 'S24: no further groups')
  }
})

test('a worker that is killed is started again, and what it promised is delivered', async () => {
  assert.equal(await send('before the crash'), 250)
  const killed = await workers()
  for (const { pid } of killed) signal(pid, 'SIGKILL')
  await sink.messageWith('before the crash')
  const restarted = await waitFor('both workers to be back', async () => {
    const now = await workers()
    return now.length === 2 && now.every(({ pid, restarts }) => pid !== 0 && restarts === 1) && now
  })
  assert.deepEqual(restarted.filter(({ pid }) => killed.some(old => old.pid === pid)), [])
  assert.equal(await send('after the crash'), 250)
  await sink.messageWith('after the crash')
})

test('a reload takes a new access map and a new certificate without dropping a session', async () => {
  const session = await joesSession()
  assert.equal((await session.command('MAIL FROM:<joe@example.test>')).code, 250)
  const before = session.secure.getPeerCertificate().fingerprint256
  putFirst(path.join(postern.folder, 'access'), 'To:blocked@example.net\tREJECT')
  const issued = await postern.command(['ca', 'issue', 'server', 'relay.example.test', 'localhost', '--install'])
  assert.equal(issued.code, 0, issued.stderr)
  assert.deepEqual(await postern.json(['reload']), { inForce: true, problems: [], warnings: [], afterRestart: [] })

  const blocked = await session.command('RCPT TO:<blocked@example.net>')
  assert.deepEqual([blocked.code, blocked.text.slice(0, 5)], [550, '5.2.1'])
  assert.equal((await session.command('RCPT TO:<ann@example.net>')).code, 250)
  await session.quit()
  const next = await joesSession()
  assert.notEqual(next.secure.getPeerCertificate().fingerprint256, before)
  await next.quit()
})

test('a reload with something wrong in it changes nothing, and says file and line', async () => {
  const file = path.join(postern.folder, 'postern.toml')
  const good = readFileSync(file, 'utf8')
  writeFileSync(file, `${good}\n[queu]\nlifetime = "5d"\n`)
  const result = await postern.command(['reload'])
  assert.equal(result.code, 1)
  assert.match(`${result.stdout}${result.stderr}`, /postern\.toml:\d+: queu: unknown key; did you mean "queue"\?/)
  assert.equal(await send('after a reload that failed'), 250)
  writeFileSync(file, good)
})

test('a [[test]] case that does not hold keeps the old policy', async () => {
  const access = path.join(postern.folder, 'access')
  const good = readFileSync(access, 'utf8')
  appendFileSync(path.join(postern.folder, 'postern.toml'), '\n[[test]]\nas = "joe"\nfrom = "joe@example.test"\nto = "ann@example.net"\nexpect = "relay"\n')
  writeFileSync(access, good.replaceAll(/^CERTISSUER:.*$/gm, ''))
  const result = await postern.command(['reload'])
  assert.equal(result.code, 1)
  assert.match(`${result.stdout}${result.stderr}`, /joe from <joe@example\.test> to <ann@example\.net>: expected relay/)
  assert.equal(await send('still by the old policy'), 250)
  writeFileSync(access, good)
})

test('a listener that moves waits for a restart, which each reload says; all else is in force', async () => {
  const file = path.join(postern.folder, 'postern.toml')
  const access = path.join(postern.folder, 'access')
  const [good, goodAccess] = [file, access].map(name => readFileSync(name, 'utf8')) as [string, string]
  const [other = 0] = await freePorts(1)
  writeFileSync(file, good.replace(`:${postern.ports.mx}"`, `:${other}"`))
  writeFileSync(access, `To:moved@example.net\tREJECT\n${goodAccess}`)
  for (const _ of ['once', 'again']) {
    const { code, stdout } = await postern.command(['reload'])
    assert.deepEqual([code, stdout], [0, 'Reloaded.\nWhat was changed here is used after a restart; all else is in force:\n  listeners: addresses\n'])
  }
  assert.equal(await send('to who is refused now', 'moved@example.net'), 550)
  assert.equal(await isOpen(postern.ports.mx), true)
  writeFileSync(file, good)
  writeFileSync(access, goodAccess)
  assert.deepEqual(await postern.json(['reload']), { inForce: true, problems: [], warnings: [], afterRestart: [] })
})

test('SIGHUP reloads as the command does', async () => {
  const reloads = (): number => postern.log().filter(line => line['event'] === 'reloaded').length
  const before = reloads()
  signal(Number(readyLine()['pid']), 'SIGHUP')
  await waitFor('the reload', () => reloads() > before)
})

test('a second Postern on the same data directory is refused', async () => {
  const second = await postern.command(['run'])
  assert.equal(second.code, 1)
  assert.match(second.stderr, /already running on this data directory/)
})

test('SIGTERM lets a message that has begun come to its end, and says 421 to the others', async () => {
  const idle = await joesSession()
  const sending = await joesSession()
  for (const line of ['MAIL FROM:<joe@example.test>', 'RCPT TO:<ann@example.net>', 'DATA']) await sending.command(line)
  sending.send('Subject: while stopping\r\n\r\n')
  const stopping = postern.stop()
  assert.equal((await idle.reply()).code, 421)
  const reply = await sending.command('the end\r\n.')
  assert.equal(reply.code, 250, reply.text)
  await stopping
  await postern.start()
  await sink.messageWith('while stopping')
})

test('while it stops, who connects is refused at once and not left to wait', async () => {
  const sending = await joesSession()
  for (const line of ['MAIL FROM:<joe@example.test>', 'RCPT TO:<ann@example.net>', 'DATA']) await sending.command(line)
  const stopping = postern.stop()
  for (const port of Object.values(postern.ports)) await waitFor(`port ${port} to be closed`, async () => !(await isOpen(port)))
  const reply = await sending.command('Subject: the last one\r\n\r\n.')
  assert.equal(reply.code, 250, reply.text)
  await stopping
  assert.equal(postern.log().at(-1)?.['event'], 'stopped')
  await postern.start()
  await sink.messageWith('the last one')
})

function readyLine(): Readonly<Record<string, unknown>> {
  const ready = postern.log().findLast(line => line['event'] === 'ready')
  assert.ok(ready)
  return ready
}

async function workers(): Promise<Status['workers']> {
  return ((await postern.json(['status'])) as Status).workers
}

async function joesSession(): Promise<SmtpClient> {
  const client = await SmtpClient.connect(postern.ports.submission)
  await client.greet()
  await client.startTls(showing(postern, joe))
  await client.command('EHLO laptop.example.test')
  return client
}

async function send(subject: string, to = 'ann@example.net'): Promise<number> {
  const client = await joesSession()
  const reply = await client.deliver({ from: 'joe@example.test', to, text: `Subject: ${subject}\r\n` })
  await client.quit()
  return reply.code
}

function putFirst(file: string, line: string): void {
  writeFileSync(file, `${line}\n${readFileSync(file, 'utf8')}`)
}

test('a spool folder that is a link is named at start, and nothing is left running', async () => {
  const linked = await makePostern({})
  try {
    rmSync(path.join(linked.folder, 'spool'), { recursive: true })
    symlinkSync(path.join(linked.folder, 'tls'), path.join(linked.folder, 'spool'))
    await assert.rejects(linked.start(), /\/spool is not a folder; move it elsewhere, and for a spool on another disk mount that there$/m)
  } finally {
    await linked.dispose()
  }
})
