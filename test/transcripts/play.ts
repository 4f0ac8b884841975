/**
 * Plays a transcript's client against a session and writes down what happened, in the same notation.
 *
 * Before `connected`, these say what the site is like:
 *
 *     * listener submission                * limit recipients 2
 *     * passwords are in use                those of passwords.ts
 *     * both are wanted                     a certificate and a password
 *     * listed for XCLIENT                 * joe may fetch branch.example.org
 *     * without STARTTLS                   * in one piece           the test depends on how octets arrive
 *     * without completion                * next hops are asked about recipients
 *
 * These happen to the session. People are those of test/decisions/people.ts.
 *
 *     * connected 192.0.2.7                * connected 192.0.2.7 as joe       over implicit TLS
 *     * tls joe                            the handshake that STARTTLS led to
 *     * the certificate is revoked         * the password is taken away     of nobody's TLS
 *     * the policy fails                   at its next question
 *     * the next hop says no               at its next question; likewise yes, unknown, cannotAsk, busy
 *     * the store is full                  * the store fails        at the next message
 *     * the client is silent               * the service shuts down
 *     * the queue is empty                 * the queue cannot be asked    at the next ETRN
 *     * over the limit of messages for an address               at its next question
 *     * too many errors for an address                          over all its connections
 *
 * And these the session makes happen: `* stored …`, `* held …`, `* discarded …`, `* not stored`,
 * `* dropped`, `* speaks for …`, `* woken …`, `* closed`.
 */

import { isUtf8 } from 'node:buffer'
import { formatCompletion } from '../../src/core/message/completion.ts'
import type { Envelope, EnvelopeRecipient } from '../../src/core/message/envelope.ts'
import type { Excess } from '../../src/core/limits/limits.ts'
import type { ClientIdentity } from '../../src/core/names/identity.ts'
import { decide } from '../../src/core/policy/decide.ts'
import type { CalloutWord, ClientHost, KnownFacts, Question } from '../../src/core/policy/decision.ts'
import type { Policy } from '../../src/core/policy/policy.ts'
import { NO_CHECKS } from '../../src/core/policy/site-checks.ts'
import { sessionTerms } from '../../src/core/policy/session-terms.ts'
import { formatNode } from '../../src/core/smtp/etrn.ts'
import { formatReply, type Reply } from '../../src/core/smtp/reply.ts'
import { ServerSession } from '../../src/core/smtp/server-session.ts'
import type { SessionInput, SessionLimits, SessionOutput, SessionSettings } from '../../src/core/smtp/session-events.ts'
import { PASSWORD_MECHANISMS } from '../../src/core/sasl/mechanisms.ts'
import { failureDecision } from '../../src/relay/unasked-refusals.ts'
import { callerNamed } from '../decisions/people.ts'
import { judge } from './passwords.ts'
import { sitePolicy, siteSettings } from './site.ts'
import { parseTranscript } from './transcript.ts'

/** How octets that were sent in one go arrive. */
export type Cut = (octets: Buffer) => readonly Buffer[]

export const whole: Cut = octets => [octets]

export function mustArriveWhole(source: string): boolean {
  return /^\* in one piece$/m.test(source)
}

/** Sees what the client sends, as it was cut, and what it gets for it. */
export type Observer = {
  /** `isMessage`: it is text of a message. */
  heard(octets: Buffer, isMessage: boolean): void
  said(reply: Reply): void
}

export function play(source: string, cut: Cut = whole, observer: Observer | null = null): string {
  const player = new Player(cut, observer)
  for (const step of parseTranscript(source)) {
    if (step.kind === 'client') player.send(step.lines, step.octets)
    else if (step.kind === 'note') player.written.push(step.line)
    else if (step.kind === 'event') player.happen(step.line, step.words)
  }
  return `${player.written.join('\n')}\n`
}

class Player {
  readonly written: string[] = []
  readonly #cut: Cut
  readonly #observer: Observer | null
  #settings: SessionSettings = siteSettings
  #session: ServerSession | null = null
  #host: ClientHost = { address: '', name: null }
  #decisions = 0
  #policyFails = false
  #policy = sitePolicy
  #nextHopSays: CalloutWord = 'yes'
  #excess: Excess | null = null
  #storeAnswers: SessionInput | null = null
  #stored = 0
  #waiting: number | null = 3
  #opened: Extract<SessionOutput, { kind: 'openMessage' }> | null = null
  #content: Uint8Array[] = []

  constructor(cut: Cut, observer: Observer | null) {
    this.#cut = cut
    this.#observer = observer
  }

  send(lines: readonly string[], octets: Buffer): void {
    this.written.push(...lines)
    for (const bytes of this.#cut(octets)) {
      this.#observer?.heard(bytes, this.#session?.isReceivingMessage ?? false)
      this.#give({ kind: 'bytes', bytes })
    }
  }

  /** One `*` line. Those that the session makes happen are written when it does. */
  happen(line: string, words: string): void {
    if (/^(stored|held|discarded|not stored|dropped|closed|speaks|woken)\b/.test(words)) return
    this.written.push(line)
    const input = this.#inputFor(words)
    if (input !== null) this.#give(input)
  }

  #inputFor(words: string): SessionInput | null {
    const [first = '', second = '', third = '', ...rest] = words.split(' ')
    switch (words) {
      case 'the client is silent':
        return { kind: 'idle' }
      case 'the service shuts down':
        return { kind: 'shutDown' }
      case 'the certificate is revoked':
        return this.#loseAllBut(callerNamed('revoked joe').identity)
      case 'the password is taken away':
        return this.#loseAllBut(callerNamed('nobody').identity)
      case 'the token ends':
        return { kind: 'loginEnded' }
      case 'passwords are in use':
        this.#settings = { ...this.#settings, logins: { ...this.#settings.logins, byPassword: PASSWORD_MECHANISMS } }
        return null
      case 'tokens are taken':
        this.#settings = { ...this.#settings, logins: { ...this.#settings.logins, byToken: { scope: 'smtp', openidConfiguration: 'https://login.example.org/.well-known/openid-configuration' } } }
        return null
      case 'the policy fails':
        this.#policyFails = true
        return null
      case 'the store is full':
        this.#storeAnswers = { kind: 'storageFailed', why: 'full' }
        return null
      case 'the store fails':
        this.#storeAnswers = { kind: 'storageFailed', why: 'failed' }
        return null
      case 'without STARTTLS':
        this.#settings = { ...this.#settings, offersStartTls: false }
        return null
      case 'without completion':
        this.#settings = { ...this.#settings, completesHeader: false }
        return null
      case 'listed for XCLIENT':
        this.#settings = { ...this.#settings, takesXclient: true }
        return null
      case 'both are wanted':
        this.#settings = { ...this.#settings, logins: { ...this.#settings.logins, rule: 'both' } }
        return null
      case 'the queue is empty':
        this.#waiting = 0
        return null
      case 'the queue cannot be asked':
        this.#waiting = null
        return null
      case 'next hops are asked about recipients':
        this.#policy = { ...sitePolicy, checks: { ...NO_CHECKS, recipientCallout: 'defer' } }
        return null
      case 'in one piece':
        return null
    }
    const [, says] = /^the next hop says (\w+)$/.exec(words) ?? []
    if (says !== undefined) {
      this.#nextHopSays = says as CalloutWord
      return null
    }
    const [, what, whom = 'all'] = /^over the limit of (\w+) for an? (\w+)$/.exec(words) ?? []
    if (what !== undefined) {
      this.#excess = { what: what as Excess['what'], of: whom as Excess['of'], limit: 'a setting', entry: null }
      return null
    }
    if (words === 'too many errors for an address') {
      return { kind: 'overLimit', excess: { what: 'errors', of: 'address', limit: 'a setting', entry: null }, id: `D${++this.#decisions}` }
    }
    if (first === 'tls') return { kind: 'tlsEstablished', identity: identityOf(words.slice('tls '.length)) }
    if (first === 'connected') return this.#connected(second, third === 'as' ? identityOf(rest.join(' ')) : { kind: 'plaintext' })
    if (first === 'limit') this.#settings = { ...this.#settings, limits: withLimit(this.#settings.limits, second, Number(third)) }
    else if (second === 'may' && third === 'fetch') this.#settings = { ...this.#settings, etrn: [...this.#settings.etrn, { domain: rest[0] ?? '', holders: [first] }] }
    else if (first === 'listener') {
      const listener = second as SessionSettings['listener']
      const isSubmission = listener.startsWith('submission')
      this.#settings = { ...this.#settings, listener, completesHeader: isSubmission, futureRelease: isSubmission ? FUTURE_RELEASE : null }
    }
    else throw new Error(`nothing is known of "* ${words}"`)
    return null
  }

  #connected(address: string, identity: ClientIdentity): SessionInput {
    this.#session = new ServerSession(this.#settings)
    this.#decisions = 0
    this.#host = { address, name: null }
    const answer = sessionTerms(sitePolicy, { address, name: { resolve: 'FAIL' } })
    return { kind: 'connected', address, identity, ...(answer.kind === 'terms' ? { features: answer.terms.features } : {}) }
  }

  #give(input: SessionInput): void {
    if (this.#session === null) throw new Error('a transcript begins with "* connected"')
    let next: SessionInput | null = input
    while (next !== null) {
      let answer: SessionInput | null = null
      for (const output of this.#session.handle(next)) answer = this.#perform(output)
      next = answer
    }
  }

  #perform(output: SessionOutput): SessionInput | null {
    switch (output.kind) {
      case 'reply':
        this.#observer?.said(output.reply)
        this.written.push(...formatReply(output.reply).trimEnd().split('\r\n').map(text => `S: ${text}`.trimEnd()))
        return null
      case 'speakFor':
        this.#host = output.host
        this.written.push(`* speaks for ${formatHost(output.host)}${output.login === null ? '' : `, logged in as ${output.login}`}`)
        return null
      case 'wakeQueue':
        this.written.push(`* woken ${formatNode(output.node)}`)
        return this.#wake()
      case 'askPolicy':
        return this.#decide(output.question)
      case 'askCredentials':
        return { kind: 'credentialsJudged', answer: judge(output.question), id: `D${++this.#decisions}` }
      case 'openMessage':
        this.#opened = output
        this.#content = []
        return null
      case 'body':
        this.#content.push(Buffer.from(output.bytes))
        return null
      case 'completeHeader':
        this.#content.push(Buffer.from(formatCompletion(output.completion, { at: 0, id: 'q', hostname: this.#settings.hostname })))
        return null
      case 'commitMessage':
        return this.#commit(output.waivesTls)
      case 'dropMessage':
        this.written.push('* dropped')
        return null
      case 'close':
        this.written.push('* closed')
        return null
      case 'startTls':
        return null
    }
  }

  #decide(question: Question): SessionInput {
    const id = `D${++this.#decisions}`
    if (this.#policyFails) {
      this.#policyFails = false
      return { kind: 'decided', decision: failureDecision(id, question, this.#settings.hostname, 'told to'), host: this.#host }
    }
    if (this.#excess !== null) {
      const excess = this.#excess
      this.#excess = null
      return { kind: 'overLimit', excess, id }
    }
    const { etrn, logins: { rule } } = this.#settings
    const policy: Policy = { ...this.#policy, etrn, logins: { mx: rule, submission: rule, submissions: rule, lmtp: rule } }
    let facts = NOTHING_KNOWN
    let answer = decide(policy, question, facts, id)
    if (answer.kind === 'missing' && answer.missing.kind === 'callout') {
      facts = { ...facts, callouts: new Map([[answer.missing.forwardPath, { says: this.#nextHopSays, detail: '' }]]) }
      answer = decide(policy, question, facts, id)
    } else if (answer.kind === 'missing') {
      this.#host = { ...this.#host, name: { resolve: 'FAIL' } }
      answer = decide(policy, { ...question, asker: { ...question.asker, host: this.#host } }, facts, id)
    }
    if (answer.kind === 'missing') throw new Error(`the site knows no ${answer.missing.kind}`)
    return { kind: 'decided', decision: answer.decision, host: this.#host }
  }

  #loseAllBut(identity: ClientIdentity): SessionInput {
    const asker = { listener: this.#settings.listener, host: this.#host, hello: '', identity, authentication: null }
    const answer = decide(this.#policy, { kind: 'standing', asker, holder: 'joe' }, NOTHING_KNOWN, `D${++this.#decisions}`)
    if (answer.kind === 'missing') throw new Error(`the site knows no ${answer.missing.kind}`)
    return { kind: 'identityLost', identity, decision: answer.decision }
  }

  #wake(): SessionInput {
    const messages = this.#waiting
    this.#waiting = 3
    return { kind: 'queueWoken', messages }
  }

  #commit(waivesTls: boolean): SessionInput {
    if (this.#opened === null) throw new Error('no message was opened')
    if (this.#storeAnswers !== null) {
      const answer = this.#storeAnswers
      this.#storeAnswers = null
      this.written.push('* not stored')
      return answer
    }
    const { envelope, delivery } = this.#opened
    const done = { queue: 'stored', hold: 'held', discard: 'discarded' }[delivery.kind]
    const because = delivery.kind === 'hold' ? ` (${delivery.because})` : ''
    const wish = envelope.tls === 'required' ? ' REQUIRETLS' : waivesTls ? ' TLS-Required: No' : ''
    const kind = `${envelope.bodyType === '7BIT' ? '' : ` ${envelope.bodyType}`}${envelope.utf8 ? ' SMTPUTF8' : ''}${wish}`
    const paths = envelope.recipients.map(pathAndRequests).join(' ')
    this.written.push(`* ${done}${because} from <${envelope.reversePath}>${requests(envelope)} to ${paths}${kind} ${inShort(Buffer.concat(this.#content))}`)
    return { kind: 'stored', id: `q${++this.#stored}` }
  }
}

/** What MAIL asked for beyond delivery, in the words of its parameters. */
function requests({ returned, envelopeId, deliverBy, hold, priority }: Envelope): string {
  return [
    ...(returned === null ? [] : [` RET=${returned}`]),
    ...(envelopeId === null ? [] : [` ENVID=${envelopeId}`]),
    ...(deliverBy === null ? [] : [` BY=${deliverBy.seconds};${deliverBy.mode}${deliverBy.trace ? ',trace' : ''}`]),
    ...(hold === null ? [] : [hold.kind === 'for' ? ` HOLDFOR=${hold.seconds}` : ` HOLDUNTIL=${new Date(hold.at).toISOString()}`]),
    ...(priority === 0 ? [] : [` MT-PRIORITY=${priority}`]),
  ].join('')
}

function pathAndRequests({ forwardPath, notify, originalRecipient }: EnvelopeRecipient): string {
  const wanted = notify === null ? '' : ` NOTIFY=${notify.join(',') || 'NEVER'}`
  return `<${forwardPath}>${wanted}${originalRecipient === null ? '' : ` ORCPT=${originalRecipient}`}`
}

const FUTURE_RELEASE = { mostSeconds: 86_400, latestAt: Date.UTC(2030, 0, 2) } as const

const NOTHING_KNOWN: KnownFacts = { domainExists: new Map(), isMxFor: new Map() }

function identityOf(name: string): ClientIdentity {
  return callerNamed(name).identity
}

function withLimit(limits: SessionLimits, name: string, value: number): SessionLimits {
  if (!(name in limits)) throw new Error(`no limit is called ${name}`)
  return { ...limits, [name]: value }
}

function formatHost({ address, name }: ClientHost): string {
  if (name === null) return address
  return `${address} (${name.resolve === 'OK' ? name.name : name.resolve})`
}

function inShort(content: Buffer): string {
  return content.length > 200 ? `(${content.length} octets)` : JSON.stringify(content.toString(isUtf8(content) ? 'utf8' : 'latin1'))
}
