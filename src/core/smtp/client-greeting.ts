/**
 * The beginning of a connection to a next hop: greeting, EHLO, and TLS as far as it must go.
 *
 * Three have a say in TLS, and the strictest of them wins. The next hop's own terms (`delivery.tls`, a
 * route's `tls`) and the access map (Try_TLS, TLS_Srv) are both asked; the map is asked first, since
 * its line may make of a failure a bounce. Nothing of a message has been said by then (S5).
 */

import { assert, fail, ok, type Result } from '../result.ts'
import { describeReply, type AttemptProblem, type TlsFailure } from '../message/outcome.ts'
import type { TlsLevel } from '../message/route.ts'
import { formatAccessLine } from '../policy/access-map.ts'
import { unprotected, type TlsProof, type VerifyWord } from '../policy/next-hop-tls.ts'
import type { PeerHost } from '../policy/session-features.ts'
import { ask, expect, expectAlone, isPositive, type ClientSession, type Script } from './client-session.ts'
import { NO_EXTENSIONS, parseExtensions, type Extensions, type IgnorableKeyword } from './extensions.ts'
import type { Reply } from './reply.ts'

/** What is known of the server before the first byte. */
export type GreetingPlan = {
  /** For the reports: `mx.example.net[192.0.2.7]:25`. */
  readonly peer: string
  /** For the policy. */
  readonly server: PeerHost
  readonly helloName: string
  /** A server that has one of these names, in lower case, is nobody but ourselves. */
  readonly ownNames: ReadonlySet<string>
  /** What it offers and we are not to use. */
  readonly ignoredKeywords: readonly IgnorableKeyword[]
  readonly tls: TlsLevel
  /** The server must offer REQUIRETLS (RFC 8689 §4.2.1), and `tls` is `verify`. */
  readonly requireTls: boolean
  readonly implicitTls: boolean
  /** A failed handshake is followed by a connection in clear, which is then judged. */
  readonly fallsBack: boolean
  /** A line of the access map says how TLS is to be with this server (TLS_Clt_Features); `unusable`: why it cannot. */
  readonly tlsLine: { readonly text: string; readonly unusable: string | null } | null
  /** The handshake failed a moment ago, for this reason, and this connection is to do without. */
  readonly clearBecause: string | null
}

/** What came of TLS. */
type Security = {
  /** For the reports; null in clear. */
  readonly inWords: string | null
  /** The certificate proves the name of the host. */
  readonly isVerified: boolean
  readonly proof: TlsProof
  /** Lines of the access map that had a say. */
  readonly accessLines: readonly string[]
}

/** Introduces us: greeting, EHLO, STARTTLS as the next hop's terms and the access map ask for, EHLO again. */
export function* greet(plan: GreetingPlan): Script<Result<ClientSession, AttemptProblem>> {
  let security: Result<Security, AttemptProblem> | null = null
  if (plan.implicitTls) {
    security = yield* useTls(plan, [])
    if (!security.ok) return security
  }
  const greeting = yield* expect('greeting', plan.peer, reply => reply.code === 220)
  if (!greeting.ok) return greeting

  let hello = yield* sayHello(plan)
  if (!hello.ok) return hello
  if (isOurselves(plan, hello.value.reply)) return fail({ kind: 'ourselves', peer: plan.peer })
  if (security === null) {
    security = yield* negotiate(plan, hello.value.extensions)
    if (!security.ok) return security
    // RFC 3207 §4.2: what was learned in the clear is forgotten (S4).
    if (security.value.inWords !== null) hello = yield* sayHello(plan)
    if (!hello.ok) return hello
  }
  if (plan.requireTls && !hello.value.extensions.requireTls) return fail({ kind: 'unsupported', feature: 'REQUIRETLS', peer: plan.peer })
  const { extensions, ...introduced } = hello.value
  const { inWords, isVerified, proof, accessLines } = security.value
  return ok({
    peer: plan.peer,
    extensions,
    hello: introduced,
    tls: inWords,
    isVerified,
    server: { ...plan.server, ...proof },
    accessLines,
    transactionsLeft: extensions.mostTransactions,
    domains: new Set(),
    isUsed: false,
  })
}

/** EHLO, or HELO for servers that do not know it (RFC 5321 §3.2). */
function* sayHello(plan: GreetingPlan): Script<Result<ClientSession['hello'] & { readonly extensions: Extensions }, AttemptProblem>> {
  const command = `EHLO ${plan.helloName}\r\n`
  yield { kind: 'send', text: command }
  const ehlo = yield* expectAlone('hello', plan.peer, isPositive)
  if (ehlo.ok) return ok({ command, reply: ehlo.value, extensions: parseExtensions(ehlo.value, plan.ignoredKeywords) })
  if (ehlo.problem.kind !== 'remoteReply' || ehlo.problem.reply.code < 500) return ehlo
  const older = `HELO ${plan.helloName}\r\n`
  yield { kind: 'send', text: older }
  const helo = yield* expectAlone('hello', plan.peer, isPositive)
  return helo.ok ? ok({ command: older, reply: helo.value, extensions: NO_EXTENSIONS }) : helo
}

/** RFC 5321 §4.1.1.1: the reply to EHLO or HELO begins with the server's name. `localhost` is everybody's. */
function isOurselves({ ownNames }: GreetingPlan, { lines }: Reply): boolean {
  const name = /^\S*/.exec(lines[0] ?? '')?.[0].toLowerCase() ?? ''
  return name !== 'localhost' && ownNames.has(name)
}

/** STARTTLS, or why there is none. */
function* negotiate(plan: GreetingPlan, { startTls }: Extensions): Script<Result<Security, AttemptProblem>> {
  if (plan.clearBecause !== null) return yield* stayClear(plan, 'CLEAR', plan.clearBecause, [])
  if (plan.tls === 'none') return yield* stayClear(plan, 'NONE', 'the settings for this next hop say to use none', [])
  if (!startTls) return yield* refusedTls(plan, 'it does not offer STARTTLS', [])
  const { refusal, line } = yield* ask({ kind: 'startTls', server: plan.server })
  const lines = line === null ? [] : [formatAccessLine(line)]
  if (refusal !== null) return yield* stayClear(plan, 'NONE', 'the access map says not to use STARTTLS with it', lines)

  return yield* useTls(plan, lines)
}

/** STARTTLS, if TLS has not to begin without, and the handshake. */
function* useTls(plan: GreetingPlan, before: readonly string[]): Script<Result<Security, AttemptProblem>> {
  const lines = plan.tlsLine === null ? before : [...before, plan.tlsLine.text]
  const unusable = plan.tlsLine?.unusable ?? null
  if (unusable !== null) return yield* judge(plan, { ...IN_CLEAR, proof: unprotected('CONFIG'), accessLines: lines }, unusable, 'settings')
  if (plan.implicitTls) return yield* secure(plan, lines)

  yield { kind: 'send', text: 'STARTTLS\r\n' }
  const go = yield* expect('tls', plan.peer, reply => reply.code === 220)
  if (go.ok) return yield* secure(plan, lines)
  const { problem } = go
  if (problem.kind !== 'remoteReply' || problem.reply.code === 421) return fail(problem)
  const answered = `STARTTLS was answered by "${describeReply(problem.reply)}"`
  if (problem.reply.code >= 500) return yield* refusedTls(plan, answered, lines)
  if (problem.reply.code >= 400) return yield* stayClear(plan, 'TEMP', answered, lines)
  return yield* judge(plan, { ...IN_CLEAR, proof: unprotected('PROTOCOL'), accessLines: lines }, answered, 'notOffered')
}

/** Goes on in clear, if nobody wants more. */
function* stayClear(plan: GreetingPlan, verify: VerifyWord, why: string, accessLines: readonly string[]): Script<Result<Security, AttemptProblem>> {
  const isRequired = plan.tls !== 'none' && plan.tls !== 'opportunistic'
  const security = { ...IN_CLEAR, proof: unprotected(verify), accessLines }
  return yield* judge(plan, security, isRequired ? `${why}, and TLS is required` : why, isRequired ? 'notOffered' : null)
}

/**
 * The server itself says that it has no TLS. To a sender who requires TLS that is an answer; what may be
 * mended, such as a proof that fails or a rule of ours, is waited for (RFC 8689 §4.2.1).
 */
function* refusedTls(plan: GreetingPlan, why: string, accessLines: readonly string[]): Script<Result<Security, AttemptProblem>> {
  const clear = yield* stayClear(plan, 'NONE', why, accessLines)
  const isOurs = clear.ok || clear.problem.kind === 'tlsRefused'
  return plan.requireTls && !isOurs ? fail({ kind: 'unsupported', feature: 'STARTTLS', peer: plan.peer }) : clear
}

/** The handshake, and what it must have proved. */
function* secure(plan: GreetingPlan, accessLines: readonly string[]): Script<Result<Security, AttemptProblem>> {
  const fact = yield { kind: 'startTls' }
  if (fact.kind === 'tlsFailed') {
    const problem: AttemptProblem = { ...fact, peer: plan.peer }
    // Whoever injects bytes is not the server whose entry could make this a bounce; and where a failed
    // handshake is met by a connection in clear, the entry is asked about that one.
    if (fact.cause === 'injected' || plan.fallsBack) return fail(problem)
    return yield* judge(plan, { ...IN_CLEAR, proof: unprotected('SOFTWARE'), accessLines }, fact.detail, 'handshake')
  }
  assert(fact.kind === 'tlsEstablished', 'TLS was asked for')
  const isVerified = fact.unverified === null
  const security = { inWords: isVerified ? `${fact.protocol}, verified` : fact.protocol, isVerified, proof: fact.proof, accessLines }
  return yield* judge(plan, security, fact.unverified, plan.tls === 'verify' && !isVerified ? 'unverified' : null)
}

/** Neither the access map nor the terms of the next hop may have anything against it. `cause` is what the terms have. */
function* judge(
  plan: GreetingPlan,
  security: Security,
  detail: string | null,
  cause: Exclude<TlsFailure, 'injected'> | null,
): Script<Result<Security, AttemptProblem>> {
  const { peer } = plan
  const { refusal, line } = yield* ask({ kind: 'server', server: { ...plan.server, ...security.proof } })
  const accessLines = line === null ? security.accessLines : [...security.accessLines, formatAccessLine(line)]
  // Without a line of its own the map only repeats what `cause` says better.
  if (refusal !== null && line !== null) return fail({ kind: 'tlsRefused', peer, reply: refusal, detail, accessLines })
  if (cause !== null) return fail({ kind: 'tlsFailed', cause, peer, detail: detail ?? '', accessLines })
  return ok({ ...security, accessLines })
}

const IN_CLEAR = { inWords: null, isVerified: false } as const
