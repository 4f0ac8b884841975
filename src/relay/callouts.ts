/**
 * Asks next hops whether they have a recipient, and remembers what they said.
 *
 * A client waits ten seconds at the most. A next hop that needs longer answers for the client's next try:
 * what it says within half a minute is remembered all the same. Strangers decide what is asked, so that
 * each may have a few questions under way, and all together not many more; the same question is asked once.
 */

import { addressBlock } from '../core/limits/client-blocks.ts'
import { describeProblem, type AttemptProblem } from '../core/message/outcome.ts'
import { formatHop, hopKey, nextHopOf, type NextHop } from '../core/message/route.ts'
import type { CalloutAnswer } from '../core/policy/decision.ts'
import type { CalloutReport } from '../core/smtp/client-callout.ts'
import { CalloutCache } from './callout-cache.ts'
import type { Connection } from './connection.ts'
import { DeadlineDialer } from './deadline-dialer.ts'
import { openConnection, type DelivererHost } from './deliverer.ts'
import type { DeliverySettings } from './delivery-settings.ts'
import type { Timers } from './ports.ts'

const CLIENT_WAITS_MILLISECONDS = 10_000
const CALLOUT_MILLISECONDS = 30_000
const CONNECT_SECONDS = 10
/** Each takes a connection of the next hop. */
const MOST_UNDER_WAY = 20
const MOST_OF_ONE_CLIENT = 5

export type CalloutObserver = {
  /** A next hop was asked; what it said is remembered. */
  calledOut(recipient: string, nextHop: string, answer: CalloutAnswer): void
}

export type CalloutHost = DelivererHost & { readonly timers: Timers; readonly observer: CalloutObserver }

/** `connection` is null if there was nobody to ask: then the report is about the next hop. */
type Ending = { readonly report: CalloutReport; readonly connection: Connection | null }

export class Callouts {
  readonly #host: CalloutHost
  readonly #cache = new CalloutCache()
  readonly #room = new Room()
  readonly #underWay = new Map<string, Promise<CalloutAnswer>>()
  #settings: DeliverySettings

  constructor(host: CalloutHost, settings: DeliverySettings) {
    this.#host = host
    this.#settings = settings
  }

  /** For questions to come. A yes holds for as long as the next hop is the same. */
  reconfigure(settings: DeliverySettings): void {
    this.#settings = settings
    this.#cache.forgetAllButYes()
  }

  /** For the client at this address. RFC 8689 §4.2.1 is for envelopes as well: who requires TLS has no recipient named without. */
  readonly ask = async (recipient: string, client: string, requiresTls: boolean): Promise<CalloutAnswer> => {
    const hop = nextHopOf(recipient, this.#settings.routing, requiresTls ? 'required' : null)
    if (!hop.ok) return { says: 'unknown', detail: describeProblem(hop.problem) }
    const key = keyOf(hop.value, recipient)
    const known = this.#cache.find(key, this.#host.system.now())
    if (known !== null) return known
    const answer = this.#cache.find(keyOfHop(hop.value), this.#host.system.now()) ?? (await this.#inTime(this.#callout(hop.value, recipient, client)))
    return answer.says === 'unknown' || answer.says === 'busy' ? (this.#cache.lastYes(key, this.#host.system.now()) ?? answer) : answer
  }

  /** The one that is under way, or a new one if there is room for it. */
  #callout(hop: NextHop, recipient: string, client: string): Promise<CalloutAnswer> {
    const key = keyOf(hop, recipient)
    const shared = this.#underWay.get(key)
    if (shared !== undefined) return shared
    const leave = this.#room.enter(addressBlock(client))
    if (leave === null) return Promise.resolve(BUSY)
    const answer = this.#begin(hop, recipient, leave)
    this.#underWay.set(key, answer)
    return answer
  }

  async #begin(hop: NextHop, recipient: string, leave: () => void): Promise<CalloutAnswer> {
    const settings = this.#settings
    const dialer = new DeadlineDialer(this.#host.dialer, this.#host.timers, CALLOUT_MILLISECONDS)
    const { report, connection } = await this.#converse(hop, recipient, dialer)
    const key = keyOf(hop, recipient)
    this.#underWay.delete(key)
    // By an administrator who has made it known meanwhile, it need not be waited out.
    if (settings === this.#settings || report.says === 'yes') this.#cache.remember(connection === null ? keyOfHop(hop) : key, report, this.#host.system.now())
    this.#host.observer.calledOut(recipient, formatHop(hop), report)
    // The client need not wait until leave is taken; others must: the next hop has the connection till then.
    void (connection?.quit() ?? Promise.resolve()).finally(() => {
      dialer.end()
      leave()
    })
    return report
  }

  /** Rejects never. */
  async #converse(hop: NextHop, recipient: string, dialer: DeadlineDialer): Promise<Ending> {
    let connection: Connection | null = null
    const connectTimeoutSeconds = Math.min(this.#settings.connectTimeoutSeconds, CONNECT_SECONDS)
    try {
      const opened = await openConnection(hop, { ...this.#settings, connectTimeoutSeconds }, { ...this.#host, dialer })
      if (!opened.ok) return { report: inWords(unreachable(opened.problem), dialer), connection: null }
      connection = opened.value
      return { report: inWords(await connection.callOut(recipient), dialer), connection }
    } catch (error) {
      return { report: { says: 'unknown', detail: `the callout failed: ${error instanceof Error ? error.message : String(error)}` }, connection }
    }
  }

  #inTime(answer: Promise<CalloutAnswer>): Promise<CalloutAnswer> {
    return new Promise(resolve => {
      const cancel = this.#host.timers.after(CLIENT_WAITS_MILLISECONDS, () => resolve(LATE))
      void answer.then(found => {
        cancel()
        resolve(found)
      })
    })
  }
}

/** How many callouts are under way, and for whom. */
class Room {
  #inAll = 0
  readonly #byClient = new Map<string, number>()

  /** Null if there is none; else what gives the place back. */
  enter(client: string): (() => void) | null {
    const already = this.#byClient.get(client) ?? 0
    if (this.#inAll >= MOST_UNDER_WAY || already >= MOST_OF_ONE_CLIENT) return null
    this.#inAll++
    this.#byClient.set(client, already + 1)
    return () => this.#leave(client)
  }

  #leave(client: string): void {
    this.#inAll--
    const left = (this.#byClient.get(client) ?? 1) - 1
    if (left === 0) this.#byClient.delete(client)
    else this.#byClient.set(client, left)
  }
}

/** Changes with the route: what another server said does not count. RFC 5321 §2.4: the case of a local part may matter. */
function keyOf(hop: NextHop, recipient: string): string {
  const at = recipient.lastIndexOf('@')
  return `${keyOfHop(hop)} <${recipient.slice(0, at)}${recipient.slice(at).toLowerCase()}>`
}

function keyOfHop(hop: NextHop): string {
  return `${hopKey(hop)} ${formatHop(hop)}`
}

/** What a server lacks for good it will not have at the next try either; delivery says what comes of that. */
function unreachable(problem: AttemptProblem): CalloutReport {
  return { says: problem.kind === 'unsupported' ? 'cannotAsk' : 'unknown', detail: describeProblem(problem) }
}

/** A connection that we have cut was lost for no other reason. */
function inWords(report: CalloutReport, { isOver }: DeadlineDialer): CalloutReport {
  return isOver && report.says === 'unknown' ? { says: 'unknown', detail: `the next hop has not answered within ${CALLOUT_MILLISECONDS / 1000} seconds` } : report
}

const BUSY: CalloutAnswer = { says: 'busy', detail: 'too many callouts are under way for this client, or in all' }
const LATE: CalloutAnswer = { says: 'unknown', detail: `the next hop has not answered within ${CLIENT_WAITS_MILLISECONDS / 1000} seconds` }
