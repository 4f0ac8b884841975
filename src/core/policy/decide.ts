/**
 * The answer to a question put to the policy.
 *
 * A pure function of the policy, the question and the facts that had to be found out: the server,
 * `postern explain` and the tests run this same code, so an explanation cannot disagree with what the
 * server did. sendmail's checks are beside this file, one each; their order is here, and so is what
 * Postern adds on its submission listeners.
 */

import { checkAuthors } from './authors.ts'
import { standingAuthentication } from './certificate.ts'
import { checkConnection } from './connection.ts'
import { isForSubmission } from './decision.ts'
import type { Answer, Decision, KnownFacts, Question, Reason } from './decision.ts'
import { delayedChecks } from './delayed-checks.ts'
import { ACCEPT, CLIENT_NAME_MISSING, because, noteSetting } from './finding.ts'
import type { Finding } from './finding.ts'
import { refusalOfIdentity } from './identity-standing.ts'
import { identityThatCounts, noteOtherProof, proofWanted } from './login.ts'
import type { Inquiry } from './lookups.ts'
import type { Policy } from './policy.ts'
import { authenticationRequired, identityRequired } from './refusals.ts'
import { checkRecipient } from './relay.ts'
import { checkStranger } from './site-checks.ts'
import { checkReadable, checkSender, checkSenderBinding, refuseSender } from './sender.ts'
import { checkEtrn, checkService, refuseStanding, refuseTls, refuseXclient } from './session-questions.ts'
import { requiresIdentity } from './session-terms.ts'
import { checkClientTls } from './tls-requirements.ts'
import { noteWithheld } from './withheld-proof.ts'

export function decide(policy: Policy, question: Question, facts: KnownFacts, id: string): Answer {
  const inquiry: Inquiry = { policy, asker: question.asker, facts, because: [] }
  const finding = find(inquiry, question)
  return finding.kind === 'missing'
    ? { kind: 'missing', missing: finding.missing }
    : { kind: 'decided', decision: decision(finding, inquiry.because, id) }
}

function find(inquiry: Inquiry, question: Question): Finding {
  switch (question.kind) {
    case 'connection':
      return checkService(inquiry) ?? (isDelayed(inquiry) ? ACCEPT : checkConnection(inquiry))
    case 'handshake':
      return checkClientTls(inquiry)
    case 'sender':
      return findSender(inquiry, question.reversePath)
    case 'recipient':
      return findRecipient(inquiry, question)
    case 'authors':
      return hasOtherIdentity(inquiry) ? ACCEPT : checkAuthors(inquiry, question.authors)
    case 'startTls':
      return refuseTls(inquiry)
    case 'xclient':
      return refuseXclient(inquiry)
    case 'etrn':
      return checkEtrn(inquiry, question.node)
    case 'standing':
      return refuseStanding(inquiry, question.holder)
  }
}

function findSender(inquiry: Inquiry, reversePath: string): Finding {
  const objection = checkKnown(inquiry) ?? refusalOfIdentity(inquiry)
  if (objection !== null) return objection
  const unreadable = checkReadable(inquiry, reversePath)
  if (unreadable !== null) return unreadable
  let speaksForSender = false
  if (!isDelayed(inquiry)) {
    const found = firstObjection(checkClientTls(inquiry), () => checkSender(inquiry, reversePath))
    if (found.kind !== 'accept') return found
    speaksForSender = found.final
  }
  const stranger = checkStranger(inquiry, reversePath, speaksForSender)
  if (stranger !== null) return stranger
  return (servesHoldersOnly(inquiry) ? checkBindingOfClient(inquiry, reversePath) : null) ?? ACCEPT
}

function findRecipient(inquiry: Inquiry, question: Extract<Question, { kind: 'recipient' }>): Finding {
  const stranger = checkKnown(inquiry)
  if (stranger !== null) return stranger
  const recipient = checkRecipient(inquiry, question)
  const { reversePath, forwardPath } = question
  return recipient.kind === 'accept' && isDelayed(inquiry) ? delayedChecks(inquiry, recipient, reversePath, forwardPath) : recipient
}

function isDelayed(inquiry: Inquiry): boolean {
  const { delayChecks } = inquiry.policy.features
  if (delayChecks !== 'off') noteSetting(inquiry, 'delayChecks', delayChecks)
  return delayChecks !== 'off'
}

/** The submission listeners are for people and machines we know; `mx` and `lmtp` are for everybody's mail to us. */
function servesHoldersOnly(inquiry: Inquiry): boolean {
  return isForSubmission(inquiry.asker.listener)
}

/** RFC 6409 §4.3: a submission server knows who submits; elsewhere Srv_Features can ask for it. Null if we do. */
function checkKnown(inquiry: Inquiry): Finding | null {
  const { listener, host } = inquiry.asker
  const identity = identityThatCounts(inquiry)
  if (identity.kind === 'verified' || standingAuthentication(inquiry) !== null) return null
  if (!servesHoldersOnly(inquiry)) {
    const isRequired = requiresIdentity(inquiry, host)
    if (isRequired === null) return CLIENT_NAME_MISSING
    if (!isRequired) return null
    const refusal: Finding = { kind: 'refuse', reply: authenticationRequired }
    noteOtherProof(inquiry)
    noteWithheld(inquiry)
    return because(inquiry, 'identityRequired', 'the entry asks this client to prove who it is', refusal)
  }
  noteOtherProof(inquiry)
  noteWithheld(inquiry)
  return because(inquiry, 'identityRequired', `${listener} serves only clients that have proved who they are`, {
    kind: 'refuse',
    reply: identityRequired(identity, listener, proofWanted(inquiry)),
  })
}

function checkBindingOfClient(inquiry: Inquiry, reversePath: string): Finding | null {
  if (hasOtherIdentity(inquiry)) return null
  const limit = checkSenderBinding(inquiry, reversePath)
  return limit === null ? null : refuseSender(inquiry, limit)
}

/** Of an account that is none of ours nobody knows which senders it may use. */
function hasOtherIdentity(inquiry: Inquiry): boolean {
  return (standingAuthentication(inquiry)?.stranger ?? null) !== null
}

function firstObjection(first: Finding, second: () => Finding): Finding {
  return first.kind === 'accept' ? second() : first
}

function decision(finding: Exclude<Finding, { kind: 'missing' }>, because: readonly Reason[], id: string): Decision {
  return {
    id,
    verdict: finding.kind,
    reply: finding.kind === 'refuse' ? finding.reply : null,
    holdReason: finding.kind === 'quarantine' ? finding.reason : null,
    relay: finding.kind === 'accept' && finding.relay,
    because,
  }
}
