/**
 * A decision in words, for the administrator.
 *
 * Nothing is decided here: every line is something the decision itself carries. First who asked what,
 * then everything that was looked at in its order, then the answer, and what would change it.
 */

import type { CertificateProblem, ClientIdentity } from '../names/identity.ts'
import { formatNode } from '../smtp/etrn.ts'
import { formatInstant } from '../time.ts'
import { adviceFor } from './advice.ts'
import type { Asker, Authentication, Authors, Decision, LoginQuestion, Question, Reason } from './decision.ts'

/** Where postern.toml has a setting, by its dotted name; null if it does not. */
export type LineOf = (setting: string) => number | null

export type ExplainedRecord = { readonly at: number; readonly question: Question | LoginQuestion; readonly decision: Decision }

/** `lineOf` finds a setting in postern.toml. */
export function explainDecision(record: ExplainedRecord, lineOf: LineOf = nowhere): readonly string[] {
  const { at, question, decision } = record
  const advice = adviceFor(question, decision)
  return [
    `${formatInstant(at)}  ${decision.id}`,
    asked(question),
    ...who(question.asker),
    '',
    ...reasonLines(decision.because, lineOf),
    `=> ${answer(question, decision)}`,
    ...(decision.reply === null ? [] : [`   the client was told: ${decision.reply.code} ${decision.reply.enhanced} ${decision.reply.text}`]),
    ...(advice === null ? [] : ['', `To change that: ${advice}`]),
  ].map(printable)
}

/** Why a certificate did not count; also for log lines and tables. */
export function explainProblem(problem: CertificateProblem): string {
  switch (problem.kind) {
    case 'untrusted':
      return `no CA that is trusted on this listener has signed it (${problem.detail})`
    case 'expired':
      return `it expired on ${formatInstant(problem.since)}`
    case 'notYetValid':
      return `it is not valid before ${formatInstant(problem.until)}`
    case 'wrongPurpose':
      return 'it is not meant for TLS clients (extended key usage)'
    case 'revoked':
      return `it was revoked on ${formatInstant(problem.since)}${problem.holder === null ? '' : ` (${problem.holder})`}`
    case 'notInIndex':
      return 'our CA has signed it, and yet it is not among the certificates we have issued'
    case 'lookalikeIssuer':
      return 'its issuer has the name of a CA that is trusted here, and another key'
    case 'isAuthority':
      return 'it is the certificate of a CA, not of a client'
  }
}

function asked(question: Question | LoginQuestion): string {
  const { listener, host } = question.asker
  switch (question.kind) {
    case 'connection':
      return `May ${host.address} talk to the ${listener} listener?`
    case 'handshake':
      return `Is the TLS of ${host.address} good enough on the ${listener} listener?`
    case 'sender':
      return `May ${host.address} send as <${question.reversePath}> on the ${listener} listener?`
    case 'recipient':
      return `May ${host.address} send from <${question.reversePath}> to <${question.forwardPath}> on the ${listener} listener?`
    case 'authors':
      return `May ${host.address} send a message ${writtenBy(question.authors)} on the ${listener} listener?`
    case 'login':
      return `May ${host.address} log in${question.login === '' ? '' : ` as ${question.login}`} by ${question.mechanism} on the ${listener} listener?`
    case 'startTls':
      return `May ${host.address} start TLS on the ${listener} listener?`
    case 'xclient':
      return `May ${host.address} speak for other clients on the ${listener} listener?`
    case 'etrn':
      return `May ${host.address} have the mail for ${formatNode(question.node)} tried now on the ${listener} listener?`
    case 'standing':
      return `Does what ${host.address} has proved on the ${listener} listener still count?`
  }
}

function writtenBy({ from, sender }: Authors): string {
  const authors = from.length === 0 ? 'without an author' : `written by ${bracketed(from)}`
  return sender.length === 0 ? authors : `${authors} and sent by ${bracketed(sender)}`
}

function bracketed(addresses: readonly string[]): string {
  return addresses.map(address => `<${address}>`).join(', ')
}

function who({ host, hello, identity, authentication }: Asker): readonly string[] {
  return [
    field('host name', hostName(host.name)),
    ...(hello === '' ? [] : [field('calls itself', hello)]),
    ...(identity.kind === 'plaintext' ? [] : [field('TLS', `${identity.tls.version}, ${identity.tls.cipher}`)]),
    ...certificateLines(identity),
    ...(authentication === null ? [] : [field('logged in', loginInWords(authentication))]),
  ]
}

function loginInWords({ mechanism, authenticationId, account }: Authentication): string {
  if (account === undefined) return `${authenticationId} (${mechanism})`
  return `as ${account.holder.name} with ${account.device === null ? 'a token' : `password '${account.device}'`} by ${mechanism}`
}

function hostName(name: Asker['host']['name']): string {
  if (name === null) return 'not looked up'
  switch (name.resolve) {
    case 'OK':
      return name.name
    case 'FAIL':
      return 'the address has none'
    case 'FORGED':
      return 'forged: it does not lead back to the address'
    case 'TEMP':
      return 'could not be looked up'
  }
}

function certificateLines(identity: ClientIdentity): readonly string[] {
  if (identity.kind === 'plaintext') return [field('certificate', 'none; the connection was not encrypted')]
  if (identity.kind === 'anonymous') return [field('certificate', 'none was presented')]
  const { subject, issuer, serial, notAfter } = identity.certificate
  return [
    field('certificate', subject === '' ? '(no subject)' : subject),
    field('', `issued by ${issuer}`),
    field('', `serial ${serial}, valid until ${formatInstant(notAfter)}`),
    field('', identity.kind === 'verified' ? `verified${holderOf(identity)}` : `does not count: ${explainProblem(identity.problem)}`),
  ]
}

function holderOf({ holder }: Extract<ClientIdentity, { kind: 'verified' }>): string {
  return holder === null ? ', from a CA that is not ours' : `, belongs to ${holder.name} (${holder.kind})`
}

function field(name: string, value: string): string {
  return `  ${name.padEnd(13)}${value}`
}

/** The same key may be asked about by two rules; once is enough for a reader. */
function reasonLines(because: readonly Reason[], lineOf: LineOf): readonly string[] {
  return [...new Set(because.map(reason => explainReason(reason, lineOf)))]
}

const nowhere: LineOf = () => null

/** One thing that was looked at. */
export function explainReason(reason: Reason, lineOf: LineOf = nowhere): string {
  switch (reason.kind) {
    case 'lookedUp':
      return reason.entry === null
        ? `nothing for ${reason.key}`
        : `${reason.entry.file}:${reason.entry.line} has ${reason.entry.key} ${reason.entry.value}`
    case 'setting': {
      const line = lineOf(reason.name)
      return `the setting ${reason.name} is ${reason.value}${line === null ? '' : ` (postern.toml:${line})`}`
    }
    case 'fact':
    case 'rule':
      return reason.text
    case 'warning':
      return `would be refused (${reason.rule}): ${reason.text}`
  }
}

function answer(question: Question | LoginQuestion, decision: Decision): string {
  const rule = decision.because.findLast(reason => reason.kind === 'rule')
  const why = rule?.kind === 'rule' ? ` (${rule.rule})` : ''
  switch (decision.verdict) {
    case 'accept':
      return `${question.kind === 'recipient' && decision.relay ? 'accepted for relaying' : 'accepted'}${why}`
    case 'refuse':
      return `refused${why}`
    case 'discard':
      return `accepted, to be dropped${why}`
    case 'quarantine':
      return `accepted, to be held: ${decision.holdReason}${why}`
  }
}

/** What a client or a certificate says may hold anything; a terminal obeys control characters. */
function printable(line: string): string {
  return line.replace(/\p{Cc}/gu, character => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
