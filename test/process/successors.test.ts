/** A process that crashes comes back as what it was, whatever a reload has changed that waits for a restart. */

import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { parse, stringify, type TomlTable } from 'smol-toml'
import { startPostern, type Postern } from '../support/postern.ts'
import { freePorts, signal, waitFor } from '../support/processes.ts'
import { startSink, type Sink } from '../support/sink.ts'
import { SmtpClient } from '../support/smtp-client.ts'

type Status = { readonly workers: readonly { readonly pid: number; readonly restarts: number }[] }

let folder: string
let socket: string
let sink: Sink
let overSocket: Postern
let overTcp: Postern
let lmtpPort: number

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'postern-successors-'))
  chmodSync(folder, 0o755)
  socket = path.join(folder, 'lmtp.sock')
  sink = await startSink()
  ;[lmtpPort = 0] = await freePorts(1)
  const start = (address: string): Promise<Postern> =>
    startPostern({ smarthost: sink.port, settings: { queue: { workers: 2 }, listeners: { lmtp: { enabled: true, address } } } })
  overSocket = await start(`unix:${socket}`)
  overTcp = await start(`127.0.0.1:${lmtpPort}`)
})

after(async () => {
  await overSocket?.dispose()
  await overTcp?.dispose()
  await sink?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const usual = new Map<Postern, string>()

afterEach(async () => {
  for (const [postern, text] of usual) {
    writeFileSync(fileOf(postern), text)
    await postern.json(['reload'])
  }
})

for (const { what, settings, tells } of [
  { what: 'lmtp moves from a UNIX socket to TCP', settings: { listeners: { lmtp: { address: '127.0.0.1:24' } } }, tells: ['listeners: addresses'] },
  { what: 'lmtp is turned off', settings: { listeners: { lmtp: { enabled: false } } }, tells: ['listeners: addresses'] },
  {
    what: 'all else that waits',
    settings: { listeners: { mx: { address: '127.0.0.1:25' } }, queue: { workers: 1, 'inline-size': '1KiB' }, user: 'daemon' },
    tells: ['listeners: addresses', 'queue.workers', 'queue.inline-size', 'user'],
  },
]) {
  test(`after a reload workers that crash come back and serve as before: ${what}`, async () => {
    await changeTo(overSocket, settings, tells)
    const accounts = (await workers(overSocket)).map(({ pid }) => accountOf(pid))
    const now = await crash(overSocket)
    assert.deepEqual(now.map(({ pid }) => accountOf(pid)), accounts)
    await greeted(await SmtpClient.connectLocally(socket))
    await greeted(await SmtpClient.connect(overSocket.ports.mx))
  })
}

test('S20: lmtp moves from TCP to a UNIX socket, whose clients may relay: neither before nor after a crash may those of TCP', async () => {
  const relays = async (): Promise<number> => {
    const client = await SmtpClient.connect(lmtpPort)
    await client.reply()
    await client.command('LHLO list.example.test')
    await client.command('MAIL FROM:<ann@example.com>')
    const { code } = await client.command('RCPT TO:<bob@example.net>')
    client.destroy()
    return code
  }
  await changeTo(overTcp, { listeners: { lmtp: { address: `unix:${path.join(folder, 'other.sock')}`, relay: true } } }, ['listeners: addresses'])
  assert.equal(await relays(), 550)
  await crash(overTcp)
  assert.equal(await relays(), 550)
})

/** The settings with these keys changed, in force as far as they do not wait. */
async function changeTo(postern: Postern, changes: TomlTable, afterRestart: readonly string[]): Promise<void> {
  const text = readFileSync(fileOf(postern), 'utf8')
  if (!usual.has(postern)) usual.set(postern, text)
  writeFileSync(fileOf(postern), stringify(changed(parse(text), changes)))
  assert.deepEqual(await postern.json(['reload']), { inForce: true, problems: [], warnings: [], afterRestart })
}

function changed(below: TomlTable, changes: TomlTable): TomlTable {
  const isTable = (value: unknown): value is TomlTable => typeof value === 'object' && value !== null && !Array.isArray(value)
  return Object.fromEntries(
    [...new Set([...Object.keys(below), ...Object.keys(changes)])].map(key => {
      const [old, next] = [below[key], changes[key]]
      return [key, isTable(old) && isTable(next) ? changed(old, next) : (next ?? old)]
    }),
  ) as TomlTable
}

/** All workers at once; resolves when each has a successor. */
async function crash(postern: Postern): Promise<Status['workers']> {
  const killed = await workers(postern)
  for (const { pid } of killed) signal(pid, 'SIGKILL')
  const isBack = ({ pid }: { readonly pid: number }, index: number): boolean => pid !== 0 && pid !== killed[index]?.pid
  return waitFor('a successor of each worker', async () => {
    const now = await workers(postern)
    return now.every(isBack) && now
  }, { told: postern.output })
}

async function workers(postern: Postern): Promise<Status['workers']> {
  return ((await postern.json(['status'])) as Status).workers
}

async function greeted(client: SmtpClient): Promise<void> {
  assert.equal((await client.reply()).code, 220)
  client.destroy()
}

function accountOf(pid: number): string {
  const file = `/proc/${pid}/status`
  return existsSync(file) ? (/^Uid:.*$/m.exec(readFileSync(file, 'utf8'))?.[0] ?? '') : ''
}

function fileOf(postern: Postern): string {
  return path.join(postern.folder, 'postern.toml')
}
