/**
 * What the mail servers of this suite have in common: each relays everything to one next hop, for
 * whom it is told to, and shows in a header field how its client proved itself.
 */

import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import type { CertificateFiles } from '../../support/certificates.ts'
import { isOpen, killFamily, waitFor } from '../../support/processes.ts'

export type MailServerOptions = {
  /** On 127.0.0.1. */
  readonly port: number
  /** Shown to clients; has the name `localhost`. */
  readonly certificate: CertificateFiles
  /** Whose mail it takes: that of clients with a certificate of this authority, or of everybody on this machine. */
  readonly relayFor: { readonly authority: string } | 'this machine'
  readonly nextHop: NextHop
  /** Put over the server's configuration, in its own terms. */
  readonly settings?: Readonly<Record<string, string>>
}

export type NextHop = {
  /** On `localhost`. */
  readonly port: number
  /** Null: in the clear. Else TLS is required, the server's certificate verified, and ours shown. */
  readonly tls: { readonly authority: string; readonly certificate: CertificateFiles } | null
}

export type MailServer = {
  readonly name: string
  readonly port: number
  /** What the server wrote about itself, for error messages. */
  readonly log: () => string
  readonly stop: () => Promise<void>
}

/** Starts a server that stays in the foreground, waits until it listens, and knows how to end all of it. */
export async function startServer(server: {
  readonly name: string
  /** Its own; removed at the end. */
  readonly folder: string
  readonly command: string
  readonly args: readonly string[]
  readonly port: number
  readonly log: () => string
}): Promise<MailServer> {
  const child = spawn(server.command, [...server.args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let said = ''
  let gone = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  child.on('error', error => (said += String(error))).on('close', () => (gone = true))
  const log = (): string => said + server.log()
  const stop = async (): Promise<void> => {
    if (child.pid !== undefined) await killFamily(child.pid)
    rmSync(server.folder, { recursive: true, force: true })
  }
  try {
    const listens = async (): Promise<boolean> => gone || (await isOpen(server.port))
    await waitFor(`${server.name} to listen`, listens, { timeoutSeconds: 90, told: log })
    if (gone) throw new Error(`${server.name} ended at its start\n${log()}`)
  } catch (error) {
    await stop()
    throw error
  }
  return { name: server.name, port: server.port, log, stop }
}
