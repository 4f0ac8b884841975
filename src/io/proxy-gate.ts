/**
 * Connections from listed proxies: reads the header that says for whom the proxy speaks, before
 * anybody else reads a byte, and leaves all that follows where it was.
 *
 * Nothing is known of the client until then, so these connections have a limit and a time of their own.
 */

import type { Socket } from 'node:net'
import { isListed } from '../core/peers/peer-list.ts'
import { readProxyHeader, type ProxiedClient } from '../core/peers/proxy-header.ts'
import type { Network } from '../core/policy/networks.ts'
import { fail, ok, type Result } from '../core/result.ts'

/** `client` is null if nobody else speaks: no proxy, or a proxy for itself, as its health checks do. */
export type Arrival = Result<{ readonly client: ProxiedClient | null }, string>

const DIRECT: Arrival = ok({ client: null })
const HEADER_MILLISECONDS = 10_000

export class ProxyGate {
  #waiting = 0

  /** The socket must not have been read from. After a failure it is gone. Rejects never. */
  async admit(socket: Socket, address: string, proxies: readonly Network[], mostWaiting: number): Promise<Arrival> {
    if (proxies.length === 0 || !isListed(address, proxies)) return DIRECT
    if (this.#waiting >= mostWaiting) {
      socket.destroy()
      return fail(`${mostWaiting} connections wait for a PROXY header already`)
    }
    this.#waiting++
    const arrival = await readHeader(socket, HEADER_MILLISECONDS)
    this.#waiting--
    if (!arrival.ok) socket.destroy()
    return arrival
  }
}

export function readHeader(socket: Socket, timeoutMilliseconds: number): Promise<Arrival> {
  return new Promise(resolve => {
    let bytes: Buffer = Buffer.alloc(0)
    const settle = (arrival: Arrival): void => {
      clearTimeout(timer)
      socket.pause()
      socket.off('data', onData)
      socket.off('end', onGone)
      socket.off('close', onGone)
      resolve(arrival)
    }
    const onGone = (): void => settle(fail('the connection ended within the PROXY header'))
    const onData = (chunk: Buffer): void => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
      const read = readProxyHeader(bytes)
      if (read.kind === 'incomplete') return
      if (read.kind === 'malformed') return settle(fail(`PROXY header: ${read.detail}`))
      const { length, client } = read.header
      settle(ok({ client }))
      // It may be the client's TLS handshake, and belongs to whoever reads the socket next.
      if (bytes.length > length) socket.unshift(bytes.subarray(length))
    }
    const timer = setTimeout(() => settle(fail('no whole PROXY header came in time')), timeoutMilliseconds)
    socket.on('data', onData)
    socket.on('end', onGone)
    socket.on('close', onGone)
    // The 'close' that follows every error is what matters here.
    socket.on('error', () => {})
  })
}
