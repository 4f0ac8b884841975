/**
 * The connection of `postern sendmail` to the relay that its settings name.
 *
 * TLS with a verified certificate, always: the relay is one of ours, and our own certificate is shown
 * to nobody else.
 */

import { lookup } from 'node:dns/promises'
import net from 'node:net'
import { formatHostPort } from '../core/config/forms.ts'
import { defaultConfig } from '../core/config/parse.ts'
import type { SendmailSettings } from '../core/config/sendmail-settings.ts'
import type { AttemptProblem } from '../core/message/outcome.ts'
import { fail, ok, type Result } from '../core/result.ts'
import { dialer } from '../io/dialer.ts'
import { Connection } from '../relay/connection.ts'
import { policyOf } from '../relay/policy-holder.ts'
import type { ClientChannel, ClientTls } from '../relay/ports.ts'

export type RelayLink = { readonly connection: Connection; readonly channel: ClientChannel }

const CONNECT_SECONDS = 30
/** An access map without lines: here is no site that could have any. */
const NO_POLICY = policyOf(defaultConfig('localhost'), { accessText: '', accessFile: 'access' })

/** Greeted and verified, or why not. */
export async function connectToRelay(settings: SendmailSettings, tls: ClientTls, helloName: string): Promise<Result<RelayLink, AttemptProblem>> {
  const { host, port } = settings.relay
  const peer = formatHostPort(settings.relay)
  const addresses = net.isIP(host) === 0 ? await addressesOf(host) : [host]
  let problem: AttemptProblem = { kind: 'connectionFailed', peer, detail: `${host} has no address` }
  for (const address of addresses) {
    const channel = await dialer.connect({ address, port, timeoutSeconds: CONNECT_SECONDS })
    if ('failed' in channel) {
      problem = { kind: 'connectionFailed', peer, detail: channel.failed }
      continue
    }
    const connection = new Connection(channel, tls, NO_POLICY)
    const server = { name: host, address }
    const terms = { ownNames: new Set<string>(), tls: 'verify', requireTls: false, implicitTls: settings.implicitTls, ignoredKeywords: [], fallsBack: false, tlsLine: null, clearBecause: null } as const
    const ready = await connection.greet({ peer, server, helloName, ...terms })
    if (ready.ok) return ok({ connection, channel })
    problem = ready.problem
  }
  return fail(problem)
}

async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address)
  } catch {
    return []
  }
}
