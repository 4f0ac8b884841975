/**
 * The old log put to the new policy: every decision that the old server made and wrote down is asked
 * for again, and those that would differ are listed with the log line and the new reasons.
 */

import { assert } from '../result.ts'
import { explainDecision } from '../policy/explain.ts'
import type { Asker, ClientName, Decision, DomainFound, ListenerName } from '../policy/decision.ts'
import { UNKNOWN_CERTIFICATE, type ClientIdentity } from '../names/identity.ts'
import type { Policy } from '../policy/policy.ts'
import { tryOut } from '../policy/trial.ts'
import type { Step } from '../policy/trial.ts'
import { factsOf } from './replay-facts.ts'
import type { RefusalCause } from './replay-facts.ts'
import type { Source } from './report.ts'

/** What the old server decided, and about whom. */
export type LoggedDecision = {
  readonly from: Source
  readonly client: { readonly address: string; readonly name: ClientName }
  readonly identity: LoggedIdentity
  /** The mechanism of a log-in, which Postern does not have. */
  readonly authentication: string | null
  readonly listener: ListenerName
  readonly reversePath: string
  /** Null where the client or the sender was refused before a recipient was named. */
  readonly forwardPath: string | null
  readonly accepted: boolean
  /** Of a refusal: what DNS had to do with it, as far as its words tell. */
  readonly cause: RefusalCause | null
  /** The reply, or where the mail went. */
  readonly outcome: string
}

export type LoggedIdentity =
  | { readonly kind: 'plaintext' | 'anonymous' | 'unverified' }
  /** `names` is null where the log does not have them (LogLevel below 12). */
  | { readonly kind: 'verified'; readonly names: { readonly subject: string; readonly issuer: string } | null }

export type Difference = {
  readonly logged: LoggedDecision
  readonly decision: Decision
  /** The explanation, as `postern explain` gives it. */
  readonly reasons: readonly string[]
  /** How often the same client, sender and recipient met with the same. */
  readonly times: number
}

export type ReplayCounts = {
  readonly replayed: number
  readonly same: number
  readonly different: number
  /** Decisions that cannot be asked for again, by why. */
  readonly left: ReadonlyMap<string, number>
}

/** Whether certificates of this CA count on a listener of ours. */
export type IssuerCounts = (issuer: string, listener: ListenerName) => boolean

/** Distinct differences that are kept; more are counted. */
const MOST_DIFFERENCES = 10_000

export class Replay {
  readonly #policy: Policy
  readonly #counts: IssuerCounts
  readonly #differences = new Map<string, { logged: LoggedDecision; step: Step; times: number }>()
  readonly #left = new Map<string, number>()
  #replayed = 0
  #different = 0

  constructor(policy: Policy, counts: IssuerCounts) {
    this.#policy = policy
    this.#counts = counts
  }

  leave(why: string): void {
    this.#left.set(why, (this.#left.get(why) ?? 0) + 1)
  }

  ask(logged: LoggedDecision): void {
    const identity = this.#identityOf(logged)
    if (identity === null) return this.leave('the certificate\'s names are not in the log (LogLevel 12 writes them)')
    const step = lastStep(this.#policy, logged, identity)
    this.#replayed += 1
    // A message that is held or dropped was accepted all the same.
    if ((step.decision.verdict !== 'refuse') === logged.accepted) return
    this.#different += 1
    const key = JSON.stringify([logged.client.address, logged.identity, logged.listener, logged.reversePath, logged.forwardPath, logged.accepted])
    const known = this.#differences.get(key)
    if (known !== undefined) known.times += 1
    else if (this.#differences.size < MOST_DIFFERENCES) this.#differences.set(key, { logged, step, times: 1 })
  }

  get counts(): ReplayCounts {
    return { replayed: this.#replayed, same: this.#replayed - this.#different, different: this.#different, left: this.#left }
  }

  get differences(): readonly Difference[] {
    return [...this.#differences.values()].map(({ logged, step, times }) => ({
      logged,
      decision: step.decision,
      reasons: reasonsOf(step),
      times,
    }))
  }

  /** Null if the log does not say enough. A certificate counts only if its CA does. */
  #identityOf({ identity: logged, listener }: LoggedDecision): ClientIdentity | null {
    if (logged.kind === 'plaintext') return { kind: 'plaintext' }
    if (logged.kind === 'anonymous') return { kind: 'anonymous', tls: LOGGED_TLS }
    const names = logged.kind === 'verified' ? logged.names : { subject: '', issuer: '' }
    if (names === null) return null
    const certificate = { ...UNKNOWN_CERTIFICATE, subject: names.subject, issuer: names.issuer }
    if (logged.kind === 'verified' && this.#counts(names.issuer, listener)) {
      return { kind: 'verified', tls: LOGGED_TLS, certificate, holder: null }
    }
    const detail = logged.kind === 'verified' ? `its issuer ${names.issuer} is not a trusted CA` : 'it was not verified then'
    return { kind: 'unverified', tls: LOGGED_TLS, certificate, problem: { kind: 'untrusted', detail } }
  }
}

/** From `postern explain`, without who was asking: the log line says that. */
function reasonsOf(step: Step): readonly string[] {
  const lines = explainDecision({ at: 0, ...step })
  return lines.slice(lines.indexOf('') + 1)
}

function lastStep(policy: Policy, logged: LoggedDecision, identity: ClientIdentity): Step {
  const { client, listener, reversePath, forwardPath, accepted, cause, outcome } = logged
  const asker: Asker = { listener, host: client, hello: '', identity, authentication: null }
  const { checks, senderDomain, listings } = factsOf(policy.checks, cause, accepted ? '' : outcome)
  const domainExists = new Map<string, DomainFound>()
  const isMxFor = new Map<string, 'no'>()
  for (;;) {
    const trial = { asker, reversePath, forwardPath: forwardPath ?? NOBODY }
    const answer = tryOut({ ...policy, checks }, trial, { domainExists, isMxFor, listings }, 'replay')
    if (answer.kind === 'missing') {
      const { missing } = answer
      assert(missing.kind !== 'clientName', 'the log has the name of the client')
      if (missing.kind === 'domainExists') domainExists.set(missing.domain, senderDomain)
      else if (missing.kind === 'isMxFor') isMxFor.set(missing.domain, 'no')
      continue
    }
    // Where no recipient was named, what would be said of one does not count.
    const counting = forwardPath === null ? answer.steps.filter(({ question }) => question.kind !== 'recipient') : answer.steps
    const last = counting.at(-1)
    assert(last !== undefined, 'a trial has at least one step')
    return last
  }
}

const NOBODY = 'postmaster'

const LOGGED_TLS = { version: 'TLS', cipher: 'as logged', cipherBits: 256 }
