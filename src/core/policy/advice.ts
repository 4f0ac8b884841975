/**
 * The one change that would make an answer come out differently.
 *
 * Said to the administrator, never to the client.
 */

import type { ClientIdentity } from '../names/identity.ts'
import { domainOf } from '../names/address.ts'
import { isWord } from './access-value.ts'
import { accessAddress } from './client-address.ts'
import type { AccessEntry, Asker, Decision, ListenerName, Question, Reason } from './decision.ts'
import { parseIdentityValue } from './identity-value.ts'
import { identityByPassword, proofLacking } from './login.ts'
import { certificateWithheldBy } from './withheld-proof.ts'

export function adviceFor(asked: Question, decision: Decision): string | null {
  const question = { ...asked, asker: judged(asked.asker) }
  const rule = decision.because.findLast(reason => reason.kind === 'rule')
  if (rule?.kind !== 'rule') return null
  const entry = lastEntry(decision.because)
  switch (rule.rule) {
    case 'relayingDenied':
      return toBeAsked(decision.because) ?? toShow(asked.asker, decision.because) ?? toRelay(question, decision.because)
    case 'identityRequired':
      return toBeAsked(decision.because) ?? toShow(asked.asker, decision.because) ?? toBeKnown(question.asker)
    case 'senderNotAllowed':
      return toSendAs(question)
    case 'authorNotAllowed':
      return toWriteAs(question)
    case 'authorsUnclear':
      return 'the client must send one From field with an address of its own (and a Sender field if it names several).'
    case 'clientRejected':
    case 'senderRejected':
    case 'recipientRejected':
    case 'clientDiscarded':
    case 'senderDiscarded':
    case 'recipientDiscarded':
    case 'clientQuarantined':
    case 'senderQuarantined':
    case 'recipientQuarantined':
    case 'identityRejected':
    case 'tlsRequirement':
    case 'connectRelays':
    case 'toRelays':
    case 'senderRelays':
      return entry === null ? null : `change or remove ${at(entry)}.`
    case 'issuerRelays':
    case 'subjectRelays':
    case 'issuerPatternRelays':
    case 'subjectPatternRelays':
    case 'certificateRelays':
    case 'keyRelays':
    case 'alternativeNameRelays':
    case 'holderRelays':
      return toStopCertificate(question.asker, entry)
    case 'relayDomain':
      return 'take the domain out of the relay domains in postern.toml.'
    case 'relayNetwork':
      return 'take the network out of the relay domains in postern.toml.'
    case 'noReverseName':
      return `give ${address(question.asker)} a host name that leads back to it, or add ${line(`Connect:${address(question.asker)}`, 'OK')} to access.`
    case 'badHello':
      return `the client must say its host name after EHLO, or its address in brackets; ${line(`Connect:${address(question.asker)}`, 'OK')} in access would take it without.`
    case 'blocklisted':
      return `have the list take ${address(question.asker)} off, take the list out of checks.dns-blocklists, or add ${line(`Connect:${address(question.asker)}`, 'OK')} to access.`
    case 'clientNameUnresolved':
      return `make the reverse DNS of ${address(question.asker)} answer, or add ${line(`Connect:${address(question.asker)}`, 'RELAY')} to access.`
    case 'senderDomainMissing':
    case 'senderDomainUnresolved':
    case 'senderTakesNoMail':
      return question.kind === 'connection' || question.kind === 'handshake'
        ? null
        : `${line(`From:${domainOf(question.reversePath) ?? ''}`, 'OK')} in access would take it without DNS.`
    case 'senderUnqualified':
    case 'senderAtLocalhost':
      return 'the client must give a sender address with its domain.'
    case 'recipientUnqualified':
    case 'recipientUnreadable':
      return 'the client must give a whole recipient address: user@domain.'
    case 'recipientUnknown':
      return 'add the recipient to the file that checks.recipients names, and reload.'
    case 'unknownAtNextHop':
      return 'make the recipient known at the next hop, and reload: what it has said is remembered for ten minutes.'
    case 'nextHopUnsure':
      return 'make the next hop answer RCPT for mail from <>, or set checks.recipient-callout-unknown to "accept".'
    case 'promiscuousRelay':
      return 'turn promiscuousRelay off: this is an open relay.'
    default:
      return null
  }
}

/** Who has logged in with a password was judged as its holder. */
function judged(asker: Asker): Asker {
  return { ...asker, identity: identityByPassword(asker) ?? asker.identity }
}

function toRelay(question: Question, because: readonly Reason[]): string {
  const { asker } = question
  if (asker.identity.kind === 'verified') return toListCertificate(asker, because)
  if (asker.identity.kind === 'unverified') return forProblem(asker.identity, asker.listener)
  const domain = question.kind === 'recipient' && !ROUTED.test(question.forwardPath) ? domainOf(question.forwardPath) : null
  const alternatives = [`${line(`Connect:${address(asker)}`, 'RELAY')} in access would let this address relay`]
  if (domain !== null) alternatives.push(`${line(`To:${domain}`, 'RELAY')} would take mail for ${domain} from anyone`)
  return `the client must present a certificate (\`postern user add NAME --email ADDRESS\` makes one). Without one, ${alternatives.join('; ')}.`
}

/** Here the domain that was typed is not the one that was judged. */
const ROUTED = /[%!"]/

/** The certificate is good, and no entry speaks for it. */
function toListCertificate(asker: Asker, because: readonly Reason[]): string {
  if (asker.identity.kind !== 'verified') return ''
  const { issuer, subject, fingerprint, ambiguousNames = [] } = asker.identity.certificate
  const entries = because.flatMap(reason => (reason.kind === 'lookedUp' && reason.entry !== null ? [reason.entry] : []))
  const limit = entries.findLast(({ key, value }) => OWN_KEY.test(key) && isLimit(value))
  if (limit !== undefined) return `RELAY as the value of ${at(limit)} would let this client relay to anybody.`
  const byItself = `${line(`CERTFP:${fingerprint}`, 'RELAY')} in access would let this one certificate relay`
  if (issuer === '' || ambiguousNames.includes('issuer')) return `no line for a name can match this issuer, which is empty, too long, or has a backslash in it; ${byItself}.`
  const entry = entries.find(({ key }) => /^CERTISSUER~?:/i.test(key))
  if (entry === undefined) return `${line(`CERTISSUER:${issuer}`, 'RELAY')} in access would let every certificate of this CA relay.`
  if (!isWord(entry.value, 'SUBJECT')) {
    return `${at(entry)} gives no permission: RELAY would let every certificate of this CA relay, SUBJECT those with a CERTSUBJECT: line.`
  }
  if (subject === '' || ambiguousNames.includes('subject')) return `no line for a name can match this subject, which is empty, too long, or has a backslash in it; ${byItself}.`
  return `${line(`CERTSUBJECT:${subject}`, 'RELAY')} in access would let this certificate relay.`
}

/** OK, or RELAY to some recipients. */
function isLimit(value: string): boolean {
  const meant = parseIdentityValue(value)
  return meant.kind === 'ok' || (meant.kind === 'relay' && meant.recipients !== null)
}

const OWN_KEY = /^(?:CERTFP|CERTSAN|USER|CERTSUBJECT~|CERTISSUER~):/i

/** Whatever the client has, it could not show it. */
function toBeAsked(because: readonly Reason[]): string | null {
  const entry = certificateWithheldBy(because)
  return entry === null ? null : `change or remove ${at(entry)}: it keeps this client from proving who it is.`
}

/** Where a certificate alone is not what is wanted. */
function toShow(asker: Asker, because: readonly Reason[]): string | null {
  switch (proofLacking(because)) {
    case 'password':
      return 'the client must log in with a password (`postern user passwd NAME --device DEVICE` makes one).'
    case 'both':
      return 'the client must present a certificate and log in with a password (`postern user passwd NAME --device DEVICE` makes one) of the same person or machine.'
    case 'sameHolder':
      return toBeOne(asker)
    case null:
      return null
  }
}

function toBeOne({ identity, authentication }: Asker): string {
  const owner = identity.kind === 'verified' ? (identity.holder?.name ?? null) : null
  const user = authentication?.account?.holder.name ?? ''
  const orLogIn = owner === null ? '' : `, or log in as ${owner}`
  return `the certificate belongs to ${owner ?? 'nobody here'} and the password to ${user}: the client must present a certificate of ${user}${orLogIn}.`
}

function toBeKnown(asker: Asker): string {
  if (asker.identity.kind === 'unverified') return forProblem(asker.identity, asker.listener)
  const how = asker.identity.kind === 'plaintext' ? 'use TLS and present a certificate' : 'present a certificate'
  return `the client must ${how} (\`postern user add NAME --email ADDRESS\` makes one).`
}

function forProblem({ problem, certificate }: Extract<ClientIdentity, { kind: 'unverified' }>, listener: ListenerName): string {
  const again = (name: string): string => `issue a new one with \`postern user add ${name}\`.`
  const another = 'issue a new one with `postern user add NAME --email ADDRESS`.'
  switch (problem.kind) {
    case 'revoked':
      return `the certificate was revoked: ${problem.holder === null ? another : again(problem.holder)}`
    case 'expired':
      return `the certificate has expired: ${again('NAME')}`
    case 'notYetValid':
      return 'wait, or check the clocks of the CA and of this host.'
    case 'wrongPurpose':
    case 'isAuthority':
      return `the client must present a certificate that is meant for clients: ${another}`
    case 'notInIndex':
      return `somebody else may have the CA key, or its index was lost. If all is well, ${another}`
    case 'untrusted':
      return `${TRUSTED_CA}: ${another}${problem.detail.startsWith('its issuer /') ? ` Or, if ${certificate.issuer} is to be trusted, add its PEM to client-ca of [listeners.${listener}].` : ''}`
    case 'lookalikeIssuer':
      return `${TRUSTED_CA}: ${another}`
  }
}

const TRUSTED_CA = 'the client must present a certificate of a CA that is trusted on this listener'

function toSendAs(question: Question): string | null {
  if (question.kind !== 'sender' && question.kind !== 'recipient') return null
  const { identity } = question.asker
  const holder = identity.kind === 'verified' ? identity.holder : null
  const whose = holder === null ? 'a certificate that names the address' : `the sender addresses of ${holder.name}`
  const give = holder === null ? `present ${whose}` : `add <${question.reversePath}> to ${whose}`
  return `${give}, or set relay.sender-binding to "warn".`
}

function toWriteAs(question: Question): string | null {
  if (question.kind !== 'authors') return null
  const { identity } = question.asker
  const holder = identity.kind === 'verified' ? identity.holder : null
  const give = holder === null ? 'present a certificate that names the address' : `add the address to the sender addresses of ${holder.name}`
  return `${give}, or set relay.header-from-binding to "warn".`
}

function toStopCertificate(asker: Asker, entry: AccessEntry | null): string | null {
  const holder = asker.identity.kind === 'verified' ? asker.identity.holder : null
  if (holder !== null) return `\`postern user revoke ${holder.name}\` takes the permission away at once.`
  return entry === null ? null : `change or remove ${at(entry)}.`
}

/** The line of the access map that decided; null if none did. */
export function decidingEntry(because: readonly Reason[]): AccessEntry | null {
  const before = because[because.findLastIndex(({ kind }) => kind === 'rule') - 1]
  return certificateWithheldBy(because) ?? (before?.kind === 'lookedUp' ? before.entry : null)
}

function lastEntry(because: readonly Reason[]): AccessEntry | null {
  const found = because.findLast(reason => reason.kind === 'lookedUp' && reason.entry !== null)
  return found?.kind === 'lookedUp' ? found.entry : null
}

function at(entry: AccessEntry): string {
  return `${entry.file}:${entry.line} (${entry.key} ${entry.value})`
}

function line(key: string, value: string): string {
  return `a line \`${key} ${value}\``
}

function address(asker: Asker): string {
  return accessAddress(asker.host.address)
}
