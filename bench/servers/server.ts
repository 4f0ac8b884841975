/** A mail server under test, started for one benchmark and stopped after it. */

import { createServer, connect, type AddressInfo } from 'node:net'
import type { ClientTls } from '../protocol.ts'

export type RunningServer = {
  readonly name: string
  readonly version: string
  /** The root of its process tree. */
  readonly pid: number
  /** Takes clear text and STARTTLS on 127.0.0.1. */
  readonly port: number
  /** The file that it writes its log to, for a person whose run went wrong. */
  readonly logFile: string
  readonly stop: () => Promise<void>
}

export type ServerPlan = {
  /** Exists, is empty, and is on the disk that all servers use. */
  readonly folder: string
  /** Where everything is to be relayed to, on 127.0.0.1. */
  readonly nextHopPort: number
  readonly site: Site
  /** How many connections at once it must be able to hold. */
  readonly connections: number
}

/** What all servers share: one CA, one server certificate, one client certificate. */
export type Site = {
  /** Postern's data directory, as `init` made it; copied for each start. */
  readonly dataDirectory: string
  readonly hostname: string
  readonly caFile: string
  readonly serverCertificateFile: string
  readonly serverKeyFile: string
  readonly client: ClientTls
}

/** The reason why the server can't be run here is thrown as an `Error`, for a person to read. */
export type StartServer = (plan: ServerPlan) => Promise<RunningServer>

/** A port that was free a moment ago, for servers that can't say which one they were given. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Waits for a 220 greeting. */
export async function awaitGreeting(port: number, stillRuns: () => boolean, logFile: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (!stillRuns()) throw new Error(`it ended while starting; see ${logFile}`)
    if (await greets(port)) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error(`no greeting on port ${port} after 30 seconds; see ${logFile}`)
}

function greets(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    const settle = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(5000, () => settle(false))
    socket.once('data', (bytes: Buffer) => settle(bytes.toString('latin1', 0, 3) === '220'))
    socket.once('error', () => settle(false))
    socket.once('close', () => settle(false))
  })
}
