/**
 * Every refusal of the policy's own, as the client reads it.
 *
 * Codes and enhanced codes are sendmail's, where sendmail has such a refusal. The words say what the client can do about it and nothing
 * of our configuration; the decision's id is added where the reply is made.
 */

import type { AddressProblem } from '../names/address.ts'
import type { CertificateProblem, ClientIdentity } from '../names/identity.ts'
import type { ListenerName, PolicyReply } from './decision.ts'
import type { LoginRule } from './login.ts'

export const accessDenied: PolicyReply = { code: 550, enhanced: '5.7.1', text: 'Access denied' }

/** An entry whose value is no keyword. sendmail would send the value itself, which tells too much. */
export const unknownValue: PolicyReply = { code: 553, enhanced: '5.3.0', text: 'Access denied' }

export const mailboxDisabled: PolicyReply = { code: 550, enhanced: '5.2.1', text: 'Mailbox disabled for this recipient' }

export const userUnknown: PolicyReply = { code: 550, enhanced: '5.1.1', text: 'User unknown' }

/** RFC 3463 §3.5: the answer of another server is what is missing. */
export const recipientUnverified: PolicyReply = { code: 450, enhanced: '4.4.0', text: 'The recipient cannot be verified now; try again later' }

export const tooManyCallouts: PolicyReply = { code: 450, enhanced: '4.4.5', text: 'Too many recipients are being verified; try again later' }

export const recipientRequired: PolicyReply = { code: 553, enhanced: '5.0.0', text: 'User address required' }

export const invalidRoute: PolicyReply = { code: 553, enhanced: '5.1.3', text: 'Invalid route address' }

/** RFC 3463 §3.2: 5.1.2 is a host that cannot be. */
const invalidHostName: PolicyReply = { code: 553, enhanced: '5.1.2', text: 'Invalid host name' }

export function replyToUnreadable(problem: AddressProblem): PolicyReply {
  return problem === 'hostName' ? invalidHostName : invalidRoute
}

export const recipientDomainRequired: PolicyReply = { code: 553, enhanced: '5.5.4', text: 'Domain name required for recipient address' }

export const senderDomainRequired: PolicyReply = { code: 553, enhanced: '5.5.4', text: 'Domain name required for sender address' }

export const realSenderDomainRequired: PolicyReply = { code: 553, enhanced: '5.5.4', text: 'Real domain name required for sender address' }

export const senderDomainMissing: PolicyReply = { code: 553, enhanced: '5.1.8', text: 'Domain of sender address does not exist' }

export const senderDomainUnresolved: PolicyReply = { code: 451, enhanced: '4.1.8', text: 'Domain of sender address does not resolve' }

/** RFC 7505 §4.2. */
export const senderTakesNoMail: PolicyReply = { code: 550, enhanced: '5.7.27', text: 'Domain of sender address takes no mail' }

export function senderNotAllowed(byPassword: boolean): PolicyReply {
  return { code: 550, enhanced: '5.7.1', text: `Sender address not allowed for this ${byPassword ? 'login' : 'certificate'}` }
}

export function authorNotAllowed(byPassword: boolean): PolicyReply {
  return { code: 550, enhanced: '5.7.1', text: `From address not allowed for this ${byPassword ? 'login' : 'certificate'}` }
}

/** It may relay, and not to everybody. */
export function recipientNotAllowed(byPassword: boolean): PolicyReply {
  return { code: 550, enhanced: '5.7.1', text: `Relaying denied: recipient not allowed for this ${byPassword ? 'login' : 'certificate'}` }
}

export const authorsUnclear: PolicyReply = { code: 550, enhanced: '5.7.1', text: 'The header must say in one way who the message is from' }

export const clientNameUnresolved: PolicyReply = {
  code: 450,
  enhanced: '4.4.0',
  text: 'Relaying temporarily denied: your host name cannot be looked up',
}

export const mxUnresolved: PolicyReply = {
  code: 450,
  enhanced: '4.4.0',
  text: 'Relaying temporarily denied: the MX records of the recipient domain cannot be looked up',
}

export const badHelloName: PolicyReply = { code: 550, enhanced: '5.7.1', text: 'After EHLO belongs your host name, or your address in brackets' }

/** Whoever is on a list by mistake must know on which. */
export const blocklisted = (zone: string): PolicyReply => ({ code: 550, enhanced: '5.7.1', text: `Your address is listed at ${zone}` })

/** To a client whose address has no name, none that can be looked up now, or one that does not lead back. */
export type ReverseNameReplies = { readonly missing: PolicyReply; readonly unresolved: PolicyReply; readonly forged: PolicyReply }

/** FEATURE(require_rdns). */
export const sendmailReverseName: ReverseNameReplies = {
  missing: { code: 550, enhanced: '5.7.1', text: 'Fix the reverse DNS of your address' },
  unresolved: { code: 451, enhanced: '4.1.8', text: 'Your address does not resolve' },
  forged: { code: 451, enhanced: '4.1.8', text: 'Your host name does not lead back to your address' },
}

/** RFC 7372 §3.3; RFC 3463 §3.5 for what DNS does not say now. */
export const reverseName: ReverseNameReplies = {
  missing: { ...sendmailReverseName.missing, enhanced: '5.7.25' },
  unresolved: { code: 451, enhanced: '4.4.3', text: 'Your host name cannot be looked up now' },
  forged: { ...sendmailReverseName.forged, enhanced: '4.7.25' },
}

/** As sendmail's `Srv_Features: temp…`. RFC 5321 §4.2.3: 421 begins with our name. */
export const noServiceNow = (hostname: string): PolicyReply => ({ code: 421, enhanced: '4.3.0', text: `${hostname} The service is not available now; try again later` })

/** RFC 3207 §4. */
export const noTlsNow: PolicyReply = { code: 454, enhanced: '4.3.3', text: 'TLS is not available to you now' }

export const xclientNotAllowed: PolicyReply = { code: 550, enhanced: '5.7.1', text: 'You may not speak for others' }

/** RFC 1985 §5. */
export const etrnNotAllowed = (node: string): PolicyReply => ({ code: 459, enhanced: '4.7.1', text: `Node ${node} not allowed: it is not listed for you` })

export const identityLost: PolicyReply = { code: 550, enhanced: '5.7.1', text: 'Your certificate or password no longer counts' }

/** As sendmail's `Srv_Features: l`. */
export const authenticationRequired: PolicyReply = { code: 530, enhanced: '5.7.0', text: 'Authentication required' }

/** What a listener wants to see of this client, and whether it has shown a password. */
export type Shown = { readonly wanted: LoginRule | 'sameHolder'; readonly byPassword: boolean }

/** `Relaying denied`, and why this client may not. */
export function relayingDenied(identity: ClientIdentity, listener: ListenerName, shown: Shown): PolicyReply {
  return { code: 550, enhanced: '5.7.1', text: `Relaying denied: ${whyNoIdentity(identity, listener, shown)}` }
}

/** RFC 4954 §6 reserves 530 for this; a submission listener serves nobody it does not know. */
export function identityRequired(identity: ClientIdentity, listener: ListenerName, shown: Shown): PolicyReply {
  if (identity.kind === 'unverified') {
    return { code: 550, enhanced: '5.7.1', text: `Sending denied: ${whyNoIdentity(identity, listener, shown)}` }
  }
  const { remedy, required } = PROOFS[shown.wanted]
  const isInClear = identity.kind === 'plaintext' && listener === 'submission'
  return { code: 530, enhanced: '5.7.0', text: isInClear ? `Issue a STARTTLS command first, and ${remedy}` : `Authentication required: ${required}` }
}

type Proof = {
  /** What a client has not shown that would let it relay. */
  readonly missing: string
  /** What it can do. */
  readonly remedy: string
  /** The same to a client that is within TLS already. */
  readonly required: string
}

/** By what a listener wants. */
const PROOFS: Record<Shown['wanted'], Proof> = {
  certificate: { missing: 'no certificate was presented', remedy: 'present your certificate', required: 'no certificate was presented' },
  any: {
    missing: 'no certificate was presented',
    remedy: 'present your certificate or log in with your password',
    required: 'no certificate was presented, and no password',
  },
  password: { missing: 'log in with your password', remedy: 'log in with your password', required: 'log in with your password' },
  both: {
    missing: 'certificate and password are both needed',
    remedy: 'present your certificate and log in with your password',
    required: 'certificate and password are both needed',
  },
  sameHolder: {
    missing: 'certificate and password do not belong to the same person or machine',
    remedy: 'present your certificate and log in with your password',
    required: 'certificate and password do not belong to the same person or machine',
  },
}

function whyNoIdentity(identity: ClientIdentity, listener: ListenerName, { wanted, byPassword }: Shown): string {
  switch (identity.kind) {
    case 'plaintext':
      // A socket of this host needs no encryption.
      return listener === 'lmtp' ? PROOFS[wanted].missing : `the connection is not encrypted and ${PROOFS[wanted].missing}`
    case 'anonymous':
      return PROOFS[wanted].missing
    case 'unverified':
      return certificateProblems[identity.problem.kind]
    case 'verified':
      return byPassword ? 'your login does not permit it' : 'your certificate does not permit it'
  }
}

/** What a client may know of its own certificate. */
const certificateProblems: Record<CertificateProblem['kind'], string> = {
  untrusted: 'your certificate is not from an authority that is trusted here',
  expired: 'your certificate has expired',
  notYetValid: 'your certificate is not valid yet',
  wrongPurpose: 'your certificate is not meant for clients',
  revoked: 'your certificate has been revoked',
  notInIndex: 'your certificate is not known here',
  lookalikeIssuer: 'your certificate is not from an authority that is trusted here',
  isAuthority: 'your certificate is not meant for clients',
}
