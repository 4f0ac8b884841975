/**
 * Runs the cases of access-relay.json: one SMTP session each, from the connection to RCPT.
 *
 * The session is played against `decide`, with sendmail's features and none of Postern's own rules.
 * The client's name and DNS are told only when they are asked for, so that asking late is tested too.
 * The differential run of test/interop plays its sessions here as well.
 */

import { parseAddress } from '../../src/core/names/address.ts'
import { UNKNOWN_CERTIFICATE, type ClientIdentity } from '../../src/core/names/identity.ts'
import { parseAccessMap } from '../../src/core/policy/access-map.ts'
import { decide } from '../../src/core/policy/decide.ts'
import type { Asker, Authentication, ClientName, Decision, KnownFacts, Missing, PolicyReply, Question, Verdict } from '../../src/core/policy/decision.ts'
import { normaliseSender } from '../../src/core/policy/normalise-recipient.ts'
import { compilePolicy } from '../../src/core/policy/policy.ts'
import type { Policy } from '../../src/core/policy/policy.ts'
import { sessionTerms } from '../../src/core/policy/session-terms.ts'
import { compare } from './outcome.ts'
import type { CaseOutcome } from './outcome.ts'
import { featuresNamed, trustedMechanismsIn } from './sendmail-features.ts'

/** One session as the policy meets it. */
export type RelaySession = {
  readonly config: {
    readonly localDomains: readonly string[]
    readonly relayDomains: readonly string[]
    readonly classM?: readonly string[]
    readonly features: readonly string[]
  }
  readonly access: string
  readonly client: { readonly addr: string; readonly name: string; readonly resolve: 'OK' | 'FAIL' | 'FORGED' | 'TEMP' }
  /** What STARTTLS proved; null if the client did not use it. */
  readonly identity: ClientIdentity | null
  readonly auth?: {
    readonly command: string
    readonly type: string | null
    readonly authen: string | null
    readonly author: string | null
    readonly ssf: string | null
  } | null
  readonly dns?: Readonly<Record<string, string>>
  readonly mailFrom: string
  readonly rcptTo: string
}

/** The first refusal, else the answer to RCPT. */
export type RelayAnswer = { readonly action: string; readonly step: Step; readonly code: number; readonly enhanced: string }

type RelayCase = Omit<RelaySession, 'identity'> & {
  readonly name: string
  readonly tls: {
    readonly verify: string
    readonly version?: string
    readonly cipherBits?: string
    readonly certSubject?: string
    readonly certIssuer?: string
    readonly cnSubject?: string
    readonly cnIssuer?: string
  }
  readonly clientCertPem?: string
  readonly expect: { readonly action: string; readonly step: string; readonly code: number; readonly enhanced: string }
}

type Step = 'connect' | 'starttls' | 'auth' | 'mail' | 'rcpt'

export function runRelayCase(input: unknown): CaseOutcome {
  const relayCase = input as RelayCase
  const { action, step, code, enhanced } = relayCase.expect
  const { tls, clientCertPem } = relayCase
  const identity = tls.verify === '' && clientCertPem === undefined ? null : identityOf(tls)
  return compare(relayCase.name, { action, step, code, enhanced }, playRelaySession({ ...relayCase, identity }))
}

export function playRelaySession(session: RelaySession): RelayAnswer {
  return new Session(session).play()
}

/** What the policy says of the client alone, before its greeting. */
export function judgeClient(session: RelaySession): Verdict {
  return new Session(session).judgeClient()
}

const HOSTNAME = 'mx.home.example'

export const MAILBOXES = new Set(
  'alice bob carol postmaster mailer-daemon abuse info spamtrap user joe friend hater detail first.last root'.split(' ').concat('a b'),
)

const unknownUser: PolicyReply = { code: 550, enhanced: '5.1.1', text: 'User unknown' }
const noStartTls: PolicyReply = { code: 503, enhanced: '5.5.0', text: 'TLS not available' }
const authFailed: PolicyReply = { code: 535, enhanced: '5.7.0', text: 'authentication failed' }
const noMechanism: PolicyReply = { code: 504, enhanced: '5.3.3', text: 'AUTH mechanism not available' }

class Session {
  readonly #session: RelaySession
  readonly #policy: Policy
  readonly #facts: { readonly domainExists: Map<string, 'yes' | 'no' | 'unknown'>; readonly isMxFor: Map<string, 'yes' | 'no' | 'unknown'> }
  #asker: Asker
  #discard = false
  #quarantine = false

  constructor(session: RelaySession) {
    this.#session = session
    this.#policy = compilePolicy({
      access: parseAccessMap(session.access, 'access').map,
      hostname: HOSTNAME,
      localDomains: [HOSTNAME, 'localhost', ...session.config.localDomains],
      relayDomains: session.config.relayDomains,
      ownDomains: session.config.classM ?? [],
      trustedMechanisms: trustedMechanismsIn(session.config.features),
      senderBinding: 'off',
      features: featuresNamed(session.config.features),
    })
    this.#facts = { domainExists: new Map(), isMxFor: new Map() }
    const address = session.client.addr.replace(/^IPv6:/, '')
    this.#asker = { listener: 'mx', host: { address, name: null }, hello: 'client.example', identity: { kind: 'plaintext' }, authentication: null }
  }

  /** The first refusal ends the comparison, as it does in the vectors. */
  play(): RelayAnswer {
    const connection = this.#ask({ kind: 'connection', asker: this.#asker })
    if (connection?.code === 421) return refused('connect', connection)
    const handshake = this.#startTls(connection)
    if (handshake !== null && handshake.step === 'starttls') return refused('starttls', handshake.reply)
    const auth = this.#authenticate()
    if (auth !== null) return refused('auth', auth)
    const reversePath = withoutBrackets(this.#session.mailFrom)
    const sender = connection ?? handshake?.reply ?? this.#ask({ kind: 'sender', asker: this.#asker, reversePath })
    if (sender !== null) return refused('mail', sender)
    const forwardPath = withoutBrackets(this.#session.rcptTo)
    const recipient = this.#ask({ kind: 'recipient', asker: this.#asker, reversePath, forwardPath }) ?? this.#mailbox(forwardPath)
    if (recipient !== null) return refused('rcpt', recipient)
    return { action: this.#discard ? 'discard' : this.#quarantine ? 'quarantine' : 'accept', step: 'rcpt', code: 250, enhanced: '2.1.5' }
  }

  judgeClient(): Verdict {
    const refusal = this.#ask({ kind: 'connection', asker: this.#asker })
    return refusal !== null ? 'refuse' : this.#discard ? 'discard' : this.#quarantine ? 'quarantine' : 'accept'
  }

  /** A refusal of the handshake is remembered for MAIL; one of STARTTLS is given there and then. */
  #startTls(connection: PolicyReply | null): { readonly step: 'starttls' | 'mail'; readonly reply: PolicyReply } | null {
    const { identity } = this.#session
    if (identity === null) return null
    if (connection !== null) return { step: 'starttls', reply: connection }
    if (!this.#offersStartTls()) return { step: 'starttls', reply: noStartTls }
    this.#asker = { ...this.#asker, identity }
    const refusal = this.#ask({ kind: 'handshake', asker: this.#asker })
    return refusal === null ? null : { step: 'mail', reply: refusal }
  }

  #authenticate(): PolicyReply | null {
    const { auth } = this.#session
    if (auth === undefined || auth === null) return null
    const [, mechanism = ''] = auth.command.split(' ')
    if (mechanism === 'EXTERNAL' && this.#asker.identity.kind !== 'verified') return noMechanism
    // Whether the password was right is not the policy's business.
    if (auth.type === null) return authFailed
    const authentication: Authentication = {
      mechanism,
      authenticationId: auth.authen ?? '',
      authorizationId: auth.author ?? '',
      securityLayerBits: Number(auth.ssf ?? 0),
    }
    this.#asker = { ...this.#asker, authentication }
    return null
  }

  /** Whether a local mailbox exists is not the policy's business; it is asked after it. */
  #mailbox(forwardPath: string): PolicyReply | null {
    // Into a message that will be dropped sendmail takes everybody.
    if (this.#discard) return null
    const parsed = parseAddress(forwardPath)
    if (!parsed.ok) return null
    // What is routed through a relay domain goes there as it is; only our own domains are taken off.
    const { localPart, domain } = normaliseSender(this.#policy, parsed.value)
    if (domain !== null && !this.#policy.localDomains.has(domain)) return null
    return MAILBOXES.has(localPart.toLowerCase().replace(/\+.*$/, '')) ? null : unknownUser
  }

  /** Null if there is no objection. */
  #ask(question: Question): PolicyReply | null {
    for (;;) {
      const answer = decide(this.#policy, { ...question, asker: this.#asker }, this.#facts as KnownFacts, 'D1')
      if (answer.kind === 'missing') {
        this.#findOut(answer.missing)
      } else {
        return this.#note(answer.decision)
      }
    }
  }

  #note(decision: Decision): PolicyReply | null {
    if (decision.verdict === 'discard') this.#discard = true
    if (decision.verdict === 'quarantine') this.#quarantine = true
    return decision.reply
  }

  #findOut(missing: Missing): void {
    if (missing.kind === 'clientName') {
      this.#asker = { ...this.#asker, host: { ...this.#asker.host, name: this.#clientName() } }
      return
    }
    if (missing.kind === 'listings' || missing.kind === 'callout') throw new Error(`the vectors know no ${missing.kind}`)
    const record = this.#session.dns?.[missing.domain] ?? ''
    if (missing.kind === 'domainExists') {
      this.#facts.domainExists.set(missing.domain, record === 'tempfail' ? 'unknown' : /^(?:addr|mx)/.test(record) ? 'yes' : 'no')
    } else {
      this.#facts.isMxFor.set(missing.domain, record === 'tempfail' ? 'unknown' : record === `mx ${HOSTNAME}` ? 'yes' : 'no')
    }
  }

  #clientName(): ClientName {
    const { resolve, name } = this.#session.client
    return resolve === 'OK' ? { resolve, name } : { resolve }
  }

  #offersStartTls(): boolean {
    const answer = sessionTerms(this.#policy, { ...this.#asker.host, name: this.#clientName() })
    return answer.kind === 'terms' && answer.terms.features.startTls !== 'hidden'
  }
}

function refused(step: Step, { code, enhanced }: PolicyReply): RelayAnswer {
  return { action: code < 500 ? 'tempfail' : 'reject', step, code, enhanced }
}

function withoutBrackets(path: string): string {
  return path.replace(/^<(.*)>$/s, '$1')
}

function identityOf(tls: RelayCase['tls']): ClientIdentity {
  const parameters = { version: tls.version ?? '', cipher: '', cipherBits: Number(tls.cipherBits ?? 0) }
  if (tls.verify !== 'OK' && tls.verify !== 'FAIL') return { kind: 'anonymous', tls: parameters }
  const certificate = {
    ...UNKNOWN_CERTIFICATE,
    subject: tls.certSubject ?? '',
    issuer: tls.certIssuer ?? '',
    cnSubject: tls.cnSubject ?? '',
    cnIssuer: tls.cnIssuer ?? '',
    ambiguousNames: [],
  }
  return tls.verify === 'OK'
    ? { kind: 'verified', tls: parameters, certificate, holder: null }
    : { kind: 'unverified', tls: parameters, certificate, problem: { kind: 'untrusted', detail: '' } }
}
