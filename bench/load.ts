/**
 * The load generator: keeps a number of connections busy until all messages of a run are sent.
 *
 * One process. A lane is one connection at a time; when a connection has sent its share, its lane
 * opens the next one. When a connection fails, what is left of its share is not sent.
 */

import type { TLSSocket } from 'node:tls'
import { Client, MessageTemplate, readTlsContext, type Target } from './client.ts'
import {
  monotonicMilliseconds,
  ownCpuSeconds,
  type IdleOrder,
  type LoadAnswer,
  type LoadOrder,
  type LoadRequest,
  type LoadResult,
} from './protocol.ts'

function runLoad(order: LoadOrder, done: (result: LoadResult) => void): void {
  const template = new MessageTemplate(order.run, order.sizeBytes)
  const context = order.tls === null ? null : readTlsContext(order.tls)
  const latencies: number[] = []
  const failures: Record<string, number> = {}
  const startedAt = monotonicMilliseconds()
  const cpuAtStart = process.cpuUsage()
  let negotiated: string | null = null
  let lastAcceptedAt = startedAt
  let next = 0
  let openLanes = Math.min(order.connections, order.messages)

  const openConnection = (lane: number): void => {
    if (next >= order.messages) {
      openLanes--
      if (openLanes === 0) finish()
      return
    }
    // A connection's messages are set apart when it is opened; else the last ones would find none left.
    let mine = next
    next = Math.min(next + order.messagesPerConnection, order.messages)
    const end = next
    new Client(targetOf(order.port, lane, context), template, {
      nextMessage: () => (mine < end ? mine++ : null),
      accepted: latency => {
        latencies.push(latency)
        lastAcceptedAt = monotonicMilliseconds()
      },
      failed: why => {
        failures[why] = (failures[why] ?? 0) + 1
      },
      secured: socket => {
        negotiated ??= describeTls(socket)
      },
      ended: () => openConnection(lane),
    }).start()
  }
  const finish = (): void =>
    done({
      kind: 'loadDone',
      startedAt,
      lastAcceptedAt,
      accepted: latencies.length,
      latenciesMilliseconds: latencies,
      failures,
      negotiated,
      cpuSeconds: ownCpuSeconds(cpuAtStart),
    })
  for (let lane = 0; lane < Math.min(order.connections, order.messages); lane++) openConnection(lane)
}

const idleClients: Client[] = []

function openIdle(order: IdleOrder, done: (answer: LoadAnswer) => void): void {
  const template = new MessageTemplate(0, 0)
  const context = readTlsContext(order.tls)
  const failures: Record<string, number> = {}
  const settledLanes = new Set<number>()
  let open = 0
  const settle = (lane: number): void => {
    if (settledLanes.has(lane)) return
    settledLanes.add(lane)
    const settled = settledLanes.size
    if (settled === order.connections) done({ kind: 'idleOpen', open, failures })
    else if (settled + AT_ONCE <= order.connections) openOne(settled + AT_ONCE - 1)
  }
  const openOne = (lane: number): void => {
    idleClients.push(
      new Client(targetOf(order.port, lane, context), template, {
        nextMessage: () => {
          open++
          settle(lane)
          return 'wait'
        },
        accepted: () => {},
        failed: why => {
          failures[why] = (failures[why] ?? 0) + 1
          settle(lane)
        },
        secured: () => {},
        ended: () => {},
      }).start(),
    )
  }
  for (let lane = 0; lane < Math.min(AT_ONCE, order.connections); lane++) openOne(lane)
}

/** How many idle connections are being opened at any time. */
const AT_ONCE = 20

/** 200 addresses, so that no server's limit per client address is what is measured. */
function targetOf(port: number, lane: number, tls: Target['tls']): Target {
  return { port, tls, localAddress: tls === null ? '127.0.0.1' : `127.0.1.${1 + (lane % 200)}` }
}

function describeTls(socket: TLSSocket): string {
  const group = socket.getEphemeralKeyInfo()
  const exchange = group !== null && 'name' in group ? group.name : 'unknown group'
  return `${socket.getProtocol()} ${socket.getCipher().name} ${exchange}`
}

process.on('message', (request: LoadRequest) => {
  const tell = (answer: LoadAnswer): void => {
    process.send?.(answer)
  }
  switch (request.do) {
    case 'load':
      return runLoad(request.order, tell)
    case 'idle':
      return openIdle(request.order, tell)
    case 'release':
      for (const client of idleClients.splice(0)) client.destroy()
      return tell({ kind: 'released' })
  }
})
process.on('disconnect', () => process.exit())
