/**
 * Hostile clients against a real Postern, and how a well-behaved one fares meanwhile.
 *
 *     npm run bench:hostile -- [--connections 10000] [--seconds 15] [--loris 2000]
 *
 * A slow-loris run, a flood of RCPT, and idle TLS connections, one after the other, from addresses
 * 127.0.x.y that no exemption covers. The hostile side is a process of its own. Meanwhile a client with
 * a certificate sends a message ten times a second, each over a connection of its own, and is timed.
 */

import { fork, spawn } from 'node:child_process'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client, MessageTemplate, readTlsContext } from './client.ts'
import type { HostileOrder, HostileReport, HostileRequest } from './hostile-clients.ts'
import { cpuSecondsOfTree, memoryOfTree, sleep } from './measure.ts'
import { freePort, awaitGreeting, type Site } from './servers/server.ts'
import { makeSite, POSTERN } from './site.ts'
import { quantile } from './statistics.ts'

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '10000' },
    loris: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '15' },
  },
})
const [connections, loris, seconds] = [values.connections, values.loris, values.seconds].map(Number) as [number, number, number]

const SETTLE_MILLISECONDS = 3000
const EVERY_MILLISECONDS = 100

const folder = await mkdtemp(join(process.env['POSTERN_BENCH_FOLDER'] ?? tmpdir(), 'postern-hostile-'))
try {
  const site = await makeSite(folder)
  for (const [what, order] of parts(site)) await withPostern(site, (pid, ports) => during(what, pid, ports, site, order))
} finally {
  await rm(folder, { recursive: true, force: true })
}

type Ports = { readonly mx: number; readonly submission: number }

function parts({ hostname }: Site): readonly (readonly [what: string, order: HostileOrder | null])[] {
  return [
    ['nobody else', null],
    [`${loris} clients that type an octet a second`, { do: 'loris', connections: loris }],
    ['50 clients that send RCPT as fast as they can', { do: 'rcptFlood', connections: 50 }],
    [`${connections} idle TLS connections`, { do: 'idleTls', connections, serverName: hostname }],
  ]
}

/** A new one for each part, so that none pays for the one before. */
async function withPostern(site: Site, use: (pid: number, ports: Ports) => Promise<void>): Promise<void> {
  const [mx, submission] = [await freePort(), await freePort()]
  await writeFile(join(site.dataDirectory, 'postern.toml'), settings(site, mx, submission))
  const log = await open(join(folder, 'log'), 'a')
  const postern = spawn(process.execPath, [POSTERN, 'run', '--dir', site.dataDirectory], { stdio: ['ignore', log.fd, log.fd] })
  const ended = new Promise<void>(resolve => postern.once('exit', () => resolve()))
  try {
    await awaitGreeting(mx, () => postern.exitCode === null, join(folder, 'log'))
    await use(postern.pid ?? 0, { mx, submission })
  } finally {
    postern.kill('SIGTERM')
    await ended
    await log.close()
  }
}

/** One part of the run: the hostile clients first, then the measurement while they go on. */
async function during(what: string, pid: number, { mx, submission }: Ports, site: Site, order: HostileOrder | null): Promise<void> {
  await sleep(SETTLE_MILLISECONDS)
  const before = memoryOfTree(pid)
  const hostile = order === null ? null : fork(join(import.meta.dirname, 'hostile-clients.ts'))
  const ready = hostile === null ? null : reportOf(hostile)
  hostile?.send({ order, port: mx } satisfies HostileRequest)
  await ready
  await sleep(order?.do === 'idleTls' ? SETTLE_MILLISECONDS : 0)
  const cpuBefore = cpuSecondsOfTree(pid)
  const latencies = await timeWellBehaved(submission, site)
  const cpu = cpuSecondsOfTree(pid) - cpuBefore
  const after = memoryOfTree(pid)
  const report = hostile === null ? null : reportOf(hostile)
  if (hostile?.connected === true) hostile.send('report')
  const { open, replies } = (await report) ?? { open: 0, replies: {} }
  hostile?.kill()
  const grown = (after.pssKibibytes - before.pssKibibytes) / 1024
  const each = order?.do === 'idleTls' && open > 0 ? `, ${((grown * 1024) / open).toFixed(1)} KiB each` : ''
  console.log(`\n${what}`)
  console.log(`  well-behaved: ${latencies.length} messages, ms: median ${ms(latencies, 0.5)}, p99 ${ms(latencies, 0.99)}, worst ${ms(latencies, 1)}`)
  console.log(`  Postern: ${(after.pssKibibytes / 1024).toFixed(0)} MiB in ${after.processes} processes (${grown.toFixed(0)} more than before${each}), ${((cpu / seconds) * 100).toFixed(0)} % of a processor`)
  if (order !== null) console.log(`  hostile: ${open} connections open; what they were told: ${JSON.stringify(replies)}`)
}

function ms(latencies: readonly number[], part: number): string {
  return quantile(latencies, part).toFixed(0)
}

/** A message every 100 ms, each over a new connection with a certificate; from connect to 250. */
async function timeWellBehaved(port: number, site: Site): Promise<readonly number[]> {
  const tls = readTlsContext(site.client)
  const template = new MessageTemplate(0, 2048)
  const latencies: number[] = []
  const failures: string[] = []
  const endsAt = Date.now() + seconds * 1000
  const pending: Promise<void>[] = []
  for (let message = 0; Date.now() < endsAt; message++) {
    let isSent = false
    const over = new Promise<void>(resolve => {
      new Client({ port, localAddress: '127.0.200.1', tls }, template, {
        nextMessage: () => (isSent ? null : ((isSent = true), message)),
        accepted: latency => latencies.push(latency),
        failed: why => failures.push(why),
        secured: () => {},
        ended: resolve,
      }).start()
    })
    pending.push(over)
    await sleep(EVERY_MILLISECONDS)
  }
  await Promise.all(pending)
  if (failures.length > 0) console.log(`  well-behaved, failed: ${JSON.stringify(failures.slice(0, 5))}`)
  return latencies
}

function reportOf(hostile: ReturnType<typeof fork>): Promise<HostileReport> {
  return new Promise(resolve => {
    hostile.once('message', report => resolve(report as HostileReport))
    hostile.once('exit', () => resolve({ open: 0, replies: { 'the hostile process ended': 1 } }))
  })
}

/** As a site would have it, but for ports, room for the idle connections, and no exemption for loopback. */
function settings(site: Site, mx: number, submission: number): string {
  return `hostname = "${site.hostname}"

[listeners.mx]
address = "127.0.0.1:${mx}"
[listeners.submission]
address = "127.0.0.1:${submission}"
[listeners.submissions]
enabled = false

[relay]
domains = ["bench.test"]

[delivery]
smarthost = "127.0.0.1:1"

[limits]
connections = ${connections + 5000}
exempt = []
[limits.identity]
message-rate = "unlimited"
`
}
