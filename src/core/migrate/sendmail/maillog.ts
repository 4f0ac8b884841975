/**
 * sendmail's log to the decisions that it tells of.
 *
 * Several lines make one: what a connection proved in TLS is known by the process, the sender and the
 * client by the queue id. Both are remembered for a while only, so that a log of any length can be
 * read.
 */

import type { ListenerName } from '../../policy/decision.ts'
import type { LoggedDecision, LoggedIdentity } from '../replay.ts'
import type { Place, Source } from '../report.ts'
import { parseAddresses, parseLogLine, parseRelay } from './log-line.ts'
import type { LoggedClient, LogLine } from './log-line.ts'
import { causeOf } from './refusal-cause.ts'

/** Takes each decision, or why one cannot be asked for again. */
type LogListener = {
  ask(decision: LoggedDecision): void
  leave(why: string): void
}

/** What a process has proved about the client it serves. */
type Connection = { readonly address: string; readonly identity: LoggedIdentity; readonly authentication: string | null }

type Message = {
  /** Null for mail that came by the sendmail command. */
  readonly client: LoggedClient | null
  readonly connection: Connection
  readonly listener: ListenerName
  readonly reversePath: string
  readonly told: Set<string>
}

/** A recipient that was refused before the line with the sender came. */
type Refusal = Pick<LoggedDecision, 'from' | 'client' | 'identity' | 'authentication' | 'forwardPath' | 'cause' | 'outcome'>

const MOST_REMEMBERED = 20_000
const PLAIN: LoggedIdentity = { kind: 'plaintext' }

export class SendmailLog {
  readonly #listener: LogListener
  readonly #listeners: ReadonlyMap<string, ListenerName>
  readonly #connections = new Map<string, Connection>()
  readonly #messages = new Map<string, Message>()
  readonly #refusals = new Map<string, readonly Refusal[]>()

  /** `listeners`: what each daemon has become, by its name. */
  constructor(listener: LogListener, listeners: ReadonlyMap<string, ListenerName>) {
    this.#listener = listener
    this.#listeners = listeners
  }

  line(text: string, place: Place): void {
    const line = parseLogLine(text)
    if (line === null) return
    const from: Source = { ...place, text }
    switch (line.first) {
      case 'STARTTLS':
        return this.#tls(line)
      case 'AUTH':
        return this.#authenticated(line)
      case 'ruleset':
        return this.#refused(line, from)
      case 'from':
        return this.#message(line)
      case 'to':
        return this.#accepted(line, from)
      case '':
        if (/^<.*>\.\.\. User unknown/.test(line.message)) this.#listener.leave('refused because there was no such user, which the next hop must know now')
        if (/^Milter.*\breject=/.test(line.message)) this.#listener.leave('refused by a milter, and Postern asks none')
    }
  }

  /** Refusals whose sender never came are asked for with the null sender. */
  end(): void {
    for (const queueId of this.#refusals.keys()) this.#tellRefusals(queueId, '', 'mx')
  }

  #tls({ pid, fields }: LogLine): void {
    if (fields.get('STARTTLS') !== 'server') return
    const client = parseRelay(fields.get('relay'))
    const known = this.#connections.get(pid)
    const [subject, issuer] = [fields.get('cert-subject'), fields.get('cert-issuer')]
    if (client !== null && fields.has('verify')) {
      remember(this.#connections, pid, { address: client.address, identity: identityOf(fields.get('verify') ?? ''), authentication: null })
    } else if (known?.identity.kind === 'verified' && subject !== undefined && issuer !== undefined) {
      remember(this.#connections, pid, { ...known, identity: { kind: 'verified', names: { subject, issuer } } })
    }
  }

  #authenticated({ pid, fields }: LogLine): void {
    const client = parseRelay(fields.get('relay'))
    const mechanism = fields.get('mech')
    if (fields.get('AUTH') !== 'server' || client === null || mechanism === undefined) return
    remember(this.#connections, pid, { ...this.#connectionOf(pid, client), authentication: mechanism })
  }

  #refused(line: LogLine, from: Source): void {
    const { pid, queueId, fields } = line
    const ruleset = fields.get('ruleset') ?? ''
    const reply = fields.get('reject')
    if (reply === undefined) return
    if (!RULESETS.has(ruleset)) return this.#listener.leave(`refused by ${ruleset}, which is not about who may relay`)
    const client = parseRelay(fields.get('relay'))
    if (client === null) return this.#listener.leave('refused to a client that the log does not name')
    const logged = causeOf(reply, fields.get('arg2') ?? '')
    if (logged?.kind === 'left') return this.#listener.leave(logged.why)
    const cause = logged?.cause ?? null
    const { identity, authentication } = this.#connectionOf(pid, client)
    const [address = ''] = parseAddresses(fields.get('arg1') ?? '')
    const refusal = { from, client, identity, authentication, cause, outcome: reply, accepted: false }
    if (ruleset !== 'check_rcpt') {
      const reversePath = ruleset === 'check_mail' ? address : ''
      return this.#listener.ask({ ...refusal, listener: 'mx', reversePath, forwardPath: null })
    }
    const waiting = { ...refusal, forwardPath: address }
    if (queueId === null) return this.#listener.ask({ ...waiting, listener: 'mx', reversePath: '' })
    this.#makeRoomForRefusals()
    remember(this.#refusals, queueId, [...(this.#refusals.get(queueId) ?? []), waiting])
  }

  #message({ pid, queueId, fields }: LogLine): void {
    if (queueId === null) return
    const client = parseRelay(fields.get('relay'))
    const listener = this.#listeners.get(fields.get('daemon') ?? '') ?? 'mx'
    const [reversePath = ''] = parseAddresses(fields.get('from') ?? '')
    const isEncrypted = /^ESMTPSA?$/.test(fields.get('proto') ?? '')
    const connection = client === null ? NO_CONNECTION : this.#connectionOf(pid, client)
    const verify = fields.get('tls_verify')
    // The TLS lines may be missing at a low LogLevel; the message's own line still says something.
    const identity = isEncrypted ? (connection.identity === PLAIN ? identityOf(verify ?? 'OK') : connection.identity) : PLAIN
    remember(this.#messages, queueId, { client, connection: { ...connection, identity }, listener, reversePath, told: new Set() })
    this.#tellRefusals(queueId, reversePath, listener)
  }

  #accepted({ queueId, fields }: LogLine, from: Source): void {
    const message = queueId === null ? undefined : this.#messages.get(queueId)
    if (message === undefined) return this.#listener.leave('the line with the sender is not in this log')
    const { client, connection, listener, reversePath, told } = message
    if (client === null) return this.#listener.leave('given to the sendmail command, which has a certificate in Postern')
    // What an alias led to was not named by the client; the address that has the alias was, and it is
    // the controlling address of the line. So is a sender who has an account on the host.
    const controlling = /^<?([^>\s]+)>?/.exec(fields.get('ctladdr') ?? '')?.[1] ?? reversePath
    const isAlias = controlling.toLowerCase() !== reversePath.toLowerCase()
    for (const forwardPath of isAlias ? [controlling] : parseAddresses(fields.get('to') ?? '')) {
      if (told.has(forwardPath.toLowerCase()) || told.size >= MOST_RECIPIENTS) continue
      told.add(forwardPath.toLowerCase())
      if (!forwardPath.includes('@')) {
        this.#listener.leave('a local name without a domain')
        continue
      }
      const outcome = `accepted${fields.has('stat') ? `, ${fields.get('stat')}` : ''}`
      const { identity, authentication } = connection
      this.#listener.ask({ from, client, identity, authentication, listener, reversePath, forwardPath, accepted: true, cause: null, outcome })
    }
  }

  #tellRefusals(queueId: string, reversePath: string, listener: ListenerName): void {
    for (const refusal of this.#refusals.get(queueId) ?? []) this.#listener.ask({ ...refusal, reversePath, listener, accepted: false })
    this.#refusals.delete(queueId)
  }

  /** Nothing is forgotten unsaid. */
  #makeRoomForRefusals(): void {
    const [oldest] = this.#refusals.keys()
    if (this.#refusals.size >= MOST_REMEMBERED && oldest !== undefined) this.#tellRefusals(oldest, '', 'mx')
  }

  /** Process ids come again: what was proved counts for the same address only. */
  #connectionOf(pid: string, client: LoggedClient): Connection {
    const known = this.#connections.get(pid)
    return known?.address === client.address ? known : { ...NO_CONNECTION, address: client.address }
  }
}

const NO_CONNECTION: Connection = { address: '', identity: PLAIN, authentication: null }
const MOST_RECIPIENTS = 10_000
const RULESETS: ReadonlySet<string> = new Set(['check_rcpt', 'check_mail', 'check_relay', 'tls_client'])

function identityOf(verify: string): LoggedIdentity {
  switch (verify) {
    case 'OK':
    case 'TRUSTED':
      return { kind: 'verified', names: null }
    case 'NO':
    case 'NOT':
    case 'NONE':
      return { kind: 'anonymous' }
    default:
      return { kind: 'unverified' }
  }
}

/** The oldest is forgotten when there are too many. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= MOST_REMEMBERED) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}
