/** Postern, Postfix and Exim side by side, each willing to take any mail from here that it can read. */

import { startPostern, type Postern } from '../../support/postern.ts'
import { freePorts } from '../../support/processes.ts'
import { startSink, type Sink } from '../../support/sink.ts'
import { startExim } from '../servers/exim.ts'
import type { MailServer } from '../servers/mail-server.ts'
import { startPostfix } from '../servers/postfix.ts'

export const SERVERS = ['Postern', 'Postfix', 'Exim'] as const
export type ServerName = (typeof SERVERS)[number]

export type Rig = {
  readonly ports: Readonly<Record<ServerName, number>>
  readonly stop: () => Promise<void>
}

export async function startRig(): Promise<Rig> {
  const started: { stop?: () => Promise<void>; dispose?: () => Promise<void> }[] = []
  const stop = async (): Promise<void> => {
    for (const server of started.toReversed()) await (server.stop ?? server.dispose)?.()
  }
  try {
    const sink: Sink = await startSink()
    started.push(sink)
    const postern: Postern = await startPostern({ smarthost: sink.port, access: ['Connect:127.0.0.1 RELAY'], settings: { limits: { connections: 100 } } })
    started.push(postern)
    const [postfixPort = 0, eximPort = 0] = await freePorts(2)
    const certificate = await postern.issue('localhost', '--machine')
    const postfix: MailServer = await startPostfix({
      port: postfixPort,
      certificate,
      relayFor: 'this machine',
      nextHop: { port: sink.port, tls: null },
      settings: { smtputf8_enable: 'yes', smtpd_error_sleep_time: '0', smtpd_client_connection_count_limit: '0' },
    })
    started.push(postfix)
    const exim: MailServer = await startExim(eximPort)
    started.push(exim)
    return { ports: { Postern: postern.ports.mx, Postfix: postfixPort, Exim: eximPort }, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
