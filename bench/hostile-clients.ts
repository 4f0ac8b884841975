/** The hostile side of hostile.ts, in a process of its own. It says when it is in place, and on request how it fares. */

import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export type HostileOrder =
  | { readonly do: 'loris' | 'rcptFlood'; readonly connections: number }
  | { readonly do: 'idleTls'; readonly connections: number; readonly serverName: string }

export type HostileRequest = 'report' | { readonly order: HostileOrder | null; readonly port: number }

export type HostileReport = {
  readonly open: number
  /** How often each reply was given, by its first words. */
  readonly replies: { readonly [words: string]: number }
}

const replies: { [words: string]: number } = {}
const open = new Set<Socket>()

process.on('message', (request: HostileRequest) => {
  if (request === 'report') return report()
  const { order, port } = request
  switch (order?.do) {
    case 'loris':
      for (let client = 0; client < order.connections; client++) typeSlowly(port, client)
      return void setTimeout(report, 3000)
    case 'rcptFlood':
      for (let client = 0; client < order.connections; client++) flood(port, client)
      return void setTimeout(report, 1000)
    case 'idleTls':
      return void openIdle(port, order.connections, order.serverName).then(report)
  }
})
process.on('disconnect', () => process.exit())

function report(): void {
  process.send?.({ open: open.size, replies } satisfies HostileReport)
}

/** 100 addresses, each in a /24 of its own. */
function connect(port: number, client: number): Socket {
  const socket = connectTcp({ host: '127.0.0.1', port, localAddress: `127.0.${1 + (client % 100)}.1`, noDelay: true })
  socket.once('connect', () => open.add(socket))
  socket.once('close', () => open.delete(socket))
  socket.on('error', () => {})
  return socket
}

function note(text: string): void {
  for (const line of text.split('\r\n')) {
    if (line === '' || line[3] === '-') continue
    const words = line.slice(0, 40).replace(/ \(id.*/, '')
    if (words in replies || Object.keys(replies).length < 20) replies[words] = (replies[words] ?? 0) + 1
  }
}

/** It waits for the greeting as it should, then types a command that never ends, an octet a second. */
function typeSlowly(port: number, client: number): void {
  const socket = connect(port, client)
  socket.on('data', bytes => note(String(bytes)))
  socket.once('data', () => {
    const timer = setInterval(() => socket.write('x'), 1000)
    socket.once('close', () => clearInterval(timer))
  })
}

/** RCPT without end in one transaction after another; whoever is hung up on comes back at once. */
function flood(port: number, client: number): void {
  const socket = connect(port, client)
  const burst = `RSET\r\nMAIL FROM:<eve@example.com>\r\n${Array.from({ length: 500 }, (_, at) => `RCPT TO:<user${at}@bench.test>\r\n`).join('')}`
  socket.once('data', () => socket.write('HELO eve.example.com\r\n'))
  socket.on('data', bytes => {
    note(String(bytes))
    if (!String(bytes).startsWith('220') && !socket.writableNeedDrain) socket.write(burst)
  })
  socket.once('close', () => setTimeout(() => flood(port, client), 10))
}

/** STARTTLS, a handshake, EHLO, and then nothing. */
async function openIdle(port: number, connections: number, serverName: string): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < connections) await secure(connect(port, next++), serverName)
  }
  await Promise.all(Array.from({ length: 20 }, lane))
}

function secure(socket: Socket, serverName: string): Promise<void> {
  return new Promise(resolve => {
    socket.once('close', () => resolve())
    socket.once('data', greeting => {
      note(String(greeting))
      socket.once('data', () => {
        const tls = connectTls({ socket, servername: serverName, rejectUnauthorized: false }, () => {
          tls.once('data', () => resolve())
          tls.write('EHLO idle.example.com\r\n')
        })
        tls.on('error', () => {})
      })
      socket.write('STARTTLS\r\n')
    })
  })
}
