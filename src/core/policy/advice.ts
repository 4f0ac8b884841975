/**
 * The one change that would make an answer come out differently.
 *
 * Said to the administrator, never to the client.
 */

import type { ClientIdentity } from '../names/identity.ts'
import { domainOf, formatAddress, parseAddress } from '../names/address.ts'
import { isWord } from './access-value.ts'
import { foldCase } from './access-map.ts'
import { accessAddress } from './client-address.ts'
import type { AccessEntry, Asker, Decision, ListenerName, LoginQuestion, Question, Reason } from './decision.ts'
import { adviceOnLogin } from './failed-login.ts'
import { parseIdentityValue } from './identity-value.ts'
import { identityByPassword, passwordWouldDo, proofLacking } from './login.ts'
import { parseRequirement } from './tls-requirement-value.ts'
import { certificateWithheldBy } from './withheld-proof.ts'

export function adviceFor(asked: Question | LoginQuestion, decision: Decision): string | null {
  const rule = decision.because.findLast(reason => reason.kind === 'rule')
  if (rule?.kind !== 'rule') return null
  if (asked.kind === 'login') return adviceOnLogin(asked, rule.rule)
  const question = { ...asked, asker: judged(asked.asker) }
  const entry = lastEntry(decision.because)
  const reversePath = 'reversePath' in question ? question.reversePath : null
  const withClient = (value: string): string => line(`Connect:${address(question.asker)}`, value, decision.because)
  switch (rule.rule) {
    case 'relayingDenied':
      return toBeAsked(decision.because) ?? toShow(asked.asker, decision.because) ?? toRelay(question, decision.because)
    case 'identityRequired':
      return toBeAsked(decision.because) ?? toShow(asked.asker, decision.because) ?? toBeKnown(question.asker, decision.because)
    case 'recipientNotAllowed':
      return toSendTo(question, decision.because)
    case 'senderNotAllowed':
      return toSendAs(question)
    case 'authorNotAllowed':
      return toWriteAs(question)
    case 'authorsUnclear':
      return 'the client must send one From field with an address of its own (and a Sender field if it names several).'
    case 'tlsRequirement':
      return entry === null ? 'the client must make its TLS work, or send without.' : toProveTls(question.asker, entry)
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
      return `give ${address(question.asker)} a host name that leads back to it; or ${withClient('OK')} would take it without.`
    case 'badHello':
      return `the client must say its host name after EHLO, or its address in brackets; or ${withClient('OK')} would take it without.`
    case 'blocklisted':
      return `have the list take ${address(question.asker)} off, take the list out of checks.dns-blocklists; or ${withClient('OK')} would take it all the same.`
    case 'clientNameUnresolved':
      return `make the reverse DNS of ${address(question.asker)} answer; or ${withClient('RELAY')} would let it relay without.`
    case 'senderDomainMissing':
    case 'senderDomainUnresolved':
    case 'senderTakesNoMail':
      return reversePath === null
        ? null
        : `${line(`From:${domainOf(reversePath) ?? ''}`, 'OK', decision.because)} would take it without DNS.`
    case 'mxUnresolved':
      return `make the MX records of the recipient's domain answer; or ${question.kind === 'recipient' ? line(`To:${domainOf(question.forwardPath) ?? ''}`, 'RELAY', decision.because) : ''} would take its mail without.`
    case 'senderUnreadable':
      return 'the client must give a sender address that can be read: user@domain.'
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
    case 'overLimit':
      return entry !== null && isLimitLine(entry) ? `wait, or change ${at(entry)}.` : `wait, or raise ${lastSetting(decision.because)} in postern.toml (limits.exempt takes a network out of most limits).`
    case 'serviceRefused':
    case 'tlsSettingsUnreadable':
      return entry === null ? null : `change or remove ${at(entry)}.`
    case 'xclientNotAllowed':
      return `if this is a filter or proxy of yours, list ${question.asker.host.address} in xclient-from of [listeners.${question.asker.listener}]; a proxy in between takes that away.`
    case 'etrnNotAllowed':
      return question.kind === 'etrn' ? toFetch(question, decision.because) : null
    case 'identityLost':
      return question.kind === 'standing' ? toProveAgain(question) : null
    case 'policyFailed':
      return 'mend what the log says of it (event "failed", of the same session); the client will try again.'
    case 'tooManyCallouts':
      return 'wait until the next hop has answered about the others; if it is slow, see to it, or turn checks.recipient-callout off.'
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
  const alternatives = [`${line(`Connect:${address(asker)}`, 'RELAY', because)} would let this address relay`]
  if (asker.listener === 'lmtp') alternatives.push('`relay = true` in [listeners.lmtp] would let whoever may open its UNIX socket relay')
  if (domain !== null) alternatives.push(`${line(`To:${domain}`, 'RELAY', because)} would take mail for ${domain} from anyone`)
  return `the client must ${inTls(asker)}${orLogIn(because)}. Without that, ${alternatives.join('; ')}.`
}

/** Here the domain that was typed is not the one that was judged. */
const ROUTED = /[%!"]/

/** The certificate is good, and no entry speaks for it. */
function toListCertificate(asker: Asker, because: readonly Reason[]): string {
  if (asker.identity.kind !== 'verified') return ''
  const { issuer, subject, fingerprint, ambiguousNames = [] } = asker.identity.certificate
  const entries = entriesIn(because)
  const withheld = entries.findLast(({ key, value }) => OWN_KEY.test(key) && parseIdentityValue(value).kind === 'ok')
  if (withheld !== undefined) return `RELAY as the value of ${at(withheld)} would let this client relay.`
  const byItself = `${line(`CERTFP:${fingerprint}`, 'RELAY', because)} would let this one certificate relay`
  if (issuer === '' || ambiguousNames.includes('issuer')) return `no line for a name can match this issuer, which is empty, too long, or has a backslash in it; ${byItself}.`
  const entry = entries.find(({ key }) => /^CERTISSUER~?:/i.test(key))
  if (entry === undefined) return `${line(`CERTISSUER:${issuer}`, 'RELAY', because)} would let every certificate of this CA relay.`
  if (!isWord(entry.value, 'SUBJECT')) {
    return `${at(entry)} gives no permission: RELAY would let every certificate of this CA relay, SUBJECT those with a CERTSUBJECT: line.`
  }
  if (subject === '' || ambiguousNames.includes('subject')) return `no line for a name can match this subject, which is empty, too long, or has a backslash in it; ${byItself}.`
  return `${line(`CERTSUBJECT:${subject}`, 'RELAY', because)} would let this certificate relay.`
}

/** The line that counts names some recipients, and not this one. */
function toSendTo(question: Question, because: readonly Reason[]): string | null {
  const limit = entriesIn(because).findLast(({ key, value }) => OWN_KEY.test(key) && limitIn(value) !== null)
  if (limit === undefined || question.kind !== 'recipient') return null
  const parsed = ROUTED.test(question.forwardPath) ? null : parseAddress(question.forwardPath)
  const toAnybody = `RELAY as the value of ${at(limit)} would let this client relay to anybody`
  return parsed?.ok === true ? `${toAnybody}; ${limit.value},${formatAddress(parsed.value)} to this recipient too.` : `${toAnybody}.`
}

function limitIn(value: string): readonly string[] | null {
  const meant = parseIdentityValue(value)
  return meant.kind === 'relay' ? meant.recipients : null
}

const OWN_KEY = /^(?:CERTFP|CERTSAN|USER|CERTSUBJECT~|CERTISSUER~):/i

/** ClientConn and ClientRate stand in place of settings. */
function isLimitLine({ key }: AccessEntry): boolean {
  return /^Client(?:Conn|Rate):/i.test(key)
}

function lastSetting(because: readonly Reason[]): string {
  const found = because.findLast(reason => reason.kind === 'setting')
  return found?.kind === 'setting' ? found.name : 'the limit'
}

function toFetch({ asker, node }: Extract<Question, { kind: 'etrn' }>, because: readonly Reason[]): string {
  const holder = asker.identity.kind === 'verified' ? asker.identity.holder : null
  if (holder === null) return `${toBeKnown(asker, because).replace(/\.$/, '')}, of somebody whom an [[etrn]] of postern.toml has for this domain.`
  const grant = (domain: string): string => `an [[etrn]] with \`domain = "${domain}"\` and \`for = ["${holder.name}"]\``
  return `${grant(node.domain)}${node.below ? `, and ${grant(`.${node.domain}`)},` : ''} in postern.toml would allow it.`
}

function toProveAgain({ asker, holder }: Extract<Question, { kind: 'standing' }>): string {
  if (asker.identity.kind === 'unverified') return forProblem(asker.identity, asker.listener)
  const name = holder ?? 'NAME'
  return `the client must log in again, with what still counts: "postern user list" shows whether ${name} has a certificate that does, \`postern user passwd ${name} --list\` the passwords.`
}

/** What the line asks for is in its value; a certificate is the client's to show. */
function toProveTls({ identity, listener }: Asker, entry: AccessEntry): string {
  const asksForOne = parseRequirement(entry.value)?.kind === 'verify' && identity.kind !== 'verified'
  const show = identity.kind === 'unverified' ? forProblem(identity, listener).replace(/\.$/, '') : 'the client must present a certificate that counts here'
  return `${asksForOne ? `${show}; or ` : ''}change or remove ${at(entry)}.`
}

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

function toBeKnown(asker: Asker, because: readonly Reason[]): string {
  if (asker.identity.kind === 'unverified') return forProblem(asker.identity, asker.listener)
  return `the client must ${inTls(asker)}${orLogIn(because)}.`
}

function inTls({ identity, listener }: Asker): string {
  const tls = identity.kind === 'plaintext' && listener !== 'lmtp' ? 'use TLS and ' : ''
  return `${tls}present a certificate (\`postern user add NAME --email ADDRESS\` makes one)`
}

/** Where a password would have done as well. */
function orLogIn(because: readonly Reason[]): string {
  return passwordWouldDo(because) ? ' or log in with a password (`postern user passwd NAME --device DEVICE` makes one)' : ''
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
  return `${toOwn([question.reversePath], question.asker)}, or set relay.sender-binding to "warn".`
}

function toWriteAs(question: Question): string | null {
  if (question.kind !== 'authors') return null
  const { authors, asker } = question
  return `${toOwn([...authors.from, ...authors.sender], asker)}, or set relay.header-from-binding to "warn".`
}

/** What an identity may send as is settled when it is made: for more, it needs another certificate. */
function toOwn(addresses: readonly string[], { identity }: Asker): string {
  const holder = identity.kind === 'verified' ? identity.holder : null
  if (holder === null) return 'the client must present a certificate that names the address'
  const { name, kind, senders } = holder
  const wanted = [...new Set([...senders, ...addresses])]
  // An address is the client's to choose, and a command line is pasted into a shell.
  const isPlain = wanted.length <= MOST_SENDERS && wanted.every(sender => PLAIN_SENDER.test(sender))
  const [first = 'ADDRESS', ...further] = isPlain ? (kind === 'person' ? ownFirst(wanted) : wanted) : []
  const rest = further.map(sender => ` --sender ${sender}`).join('')
  const again = kind === 'person' ? `\`postern user add ${name} --email ${first}${rest}\`` : `\`postern user add ${name} --machine --sender ${first}${rest}\``
  return `give ${name} a certificate for this address as well (\`postern user revoke ${name}\`, which ends its passwords too, then ${again})`
}

/** A person needs an address of its own; a whole domain is none. */
function ownFirst(senders: readonly string[]): readonly string[] {
  const own = senders.find(sender => !sender.startsWith('@'))
  return own === undefined ? [] : [own, ...senders.filter(sender => sender !== own)]
}

const PLAIN_SENDER = /^(?!-)[\w.+-]*@[\w.-]+$/
const MOST_SENDERS = 10

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
  return entriesIn(because).at(-1) ?? null
}

/** Those that were found, in the order of the look-ups. */
function entriesIn(because: readonly Reason[]): readonly AccessEntry[] {
  return because.flatMap(reason => (reason.kind === 'lookedUp' && reason.entry !== null ? [reason.entry] : []))
}

function at(entry: AccessEntry): string {
  return `${entry.file}:${entry.line} (${entry.key} ${entry.value})`
}

/** Of two lines with the same key only the first is read. */
function line(key: string, value: string, because: readonly Reason[]): string {
  const there = entriesIn(because).find(entry => foldCase(entry.key) === foldCase(key))
  return there === undefined ? `a line \`${key} ${value}\` in access` : `${value} as the value of ${at(there)}`
}

function address(asker: Asker): string {
  return accessAddress(asker.host.address)
}
