/**
 * Mail transactions: from MAIL to the reply after the message (RFC 5321 §3.3).
 *
 * The policy is asked about each sender and each recipient, one at a time, and nothing here says yes
 * in its place. The 250 after a message is given in one place only, `committed`.
 */

import { presumedAuthor } from '../message/completion.ts'
import { transmissionType } from '../message/trace.ts'
import type { Asker, Decision } from '../policy/decision.ts'
import { assert, unreachable } from '../result.ts'
import type { Command } from './command.ts'
import type { Dialogue } from './dialogue.ts'
import { IncomingMessage } from './incoming-message.ts'
import type { LineReader } from './line-reader.ts'
import { MailTransaction } from './mail-transaction.ts'
import { policyRefusal, replies, type Reply } from './reply.ts'
import type { MessageFate, SessionSettings } from './session-events.ts'

/** How far the current transaction has come. */
type Stage =
  | { readonly at: 'outside' }
  /** The policy has been asked about MAIL; the transaction begins if it agrees. */
  | { readonly at: 'sender'; readonly transaction: MailTransaction }
  | { readonly at: 'transaction'; readonly transaction: MailTransaction }
  | { readonly at: 'recipient'; readonly transaction: MailTransaction; readonly forwardPath: string }
  | { readonly at: 'message'; readonly transaction: MailTransaction; readonly message: IncomingMessage }
  /** All of the message is here, and is being made durable. */
  | { readonly at: 'storage' }

const OUTSIDE: Stage = { at: 'outside' }

export class MailExchange {
  readonly #settings: SessionSettings
  readonly #dialogue: Dialogue
  #stage: Stage = OUTSIDE
  #messages = 0

  constructor(settings: SessionSettings, dialogue: Dialogue) {
    this.#settings = settings
    this.#dialogue = dialogue
  }

  get isOpen(): boolean {
    return this.#stage.at === 'transaction'
  }

  get isReceivingMessage(): boolean {
    return this.#stage.at === 'message'
  }

  /** The policy has been asked about a path, and has not answered. */
  get isWaitingForPolicy(): boolean {
    return this.#stage.at === 'sender' || this.#stage.at === 'recipient'
  }

  /** RFC 5321 §4.1.1.5. */
  reset(): void {
    this.#stage = OUTSIDE
  }

  /** RFC 5321 §4.1.1.2. `fate` is what has been decided about the session as a whole. */
  mail({ path, parameters }: Extract<Command, { verb: 'MAIL' }>, asker: Asker, fate: MessageFate): void {
    const { hostname, limits } = this.#settings
    if (this.#messages >= limits.messages) return this.#dialogue.hangUp(replies.tooManyMessages(hostname))
    // RFC 1870 §6.1: no need to send what will not be taken.
    if ((parameters.sizeBytes ?? 0) > limits.messageBytes) return this.#dialogue.reply(replies.messageTooBig(limits.messageBytes))
    if (!path.isAscii && !parameters.utf8) return this.#dialogue.reply(replies.smtpUtf8Needed)
    this.#stage = { at: 'sender', transaction: new MailTransaction(path.address, parameters, fate) }
    this.#dialogue.ask({ kind: 'sender', asker, reversePath: path.address })
  }

  /** RFC 5321 §4.1.1.3. */
  rcpt({ path }: Extract<Command, { verb: 'RCPT' }>, asker: Asker): void {
    const transaction = this.#transaction()
    if (!path.isAscii && !transaction.utf8) return this.#dialogue.reply(replies.smtpUtf8Needed)
    if (transaction.recipients >= this.#settings.limits.recipients) return this.#refuseForRoom(transaction)
    this.#stage = { at: 'recipient', transaction, forwardPath: path.address }
    this.#dialogue.ask({ kind: 'recipient', asker, reversePath: transaction.reversePath, forwardPath: path.address })
  }

  /**
   * RFC 5321 §4.5.3.1.10: a client with too many recipients sends to the rest later. That is no error
   * of its own, as long as it stops: one that goes on for as many again will not (S18).
   */
  #refuseForRoom(transaction: MailTransaction): void {
    const { hostname, limits } = this.#settings
    if (transaction.refuseForRoom() > limits.recipients) return this.#dialogue.hangUp(replies.tooManyErrors(hostname))
    this.#dialogue.replyUncounted(replies.tooManyRecipients)
  }

  /** The policy's answer about MAIL or RCPT; null if it could give none. */
  decided(decision: Decision | null): void {
    const stage = this.#stage
    assert(stage.at === 'sender' || stage.at === 'recipient', 'the policy was asked about a path')
    const { transaction } = stage
    const refused = this.#refusal(transaction, decision)
    if (refused !== null) return this.refuse(refused)
    this.#stage = { at: 'transaction', transaction }
    if (stage.at === 'sender') this.#messages++
    else transaction.add(stage.forwardPath)
    this.#dialogue.reply(stage.at === 'sender' ? replies.senderOk : replies.recipientOk)
  }

  /** Says no to the path that the policy was asked about. */
  refuse(reply: Reply): void {
    const stage = this.#stage
    assert(stage.at === 'sender' || stage.at === 'recipient', 'the policy was asked about a path')
    this.#stage = stage.at === 'sender' ? OUTSIDE : { at: 'transaction', transaction: stage.transaction }
    this.#dialogue.reply(reply)
  }

  #refusal(transaction: MailTransaction, decision: Decision | null): Reply | null {
    if (transaction.identityLost) return replies.identityLost
    if (decision === null) return replies.policyFailed
    transaction.takeInto(decision)
    return policyRefusal(decision)
  }

  /** RFC 5321 §4.1.1.4. */
  data(asker: Asker, extended: boolean): void {
    const transaction = this.#transaction()
    if (transaction.identityLost) {
      this.#stage = OUTSIDE
      return this.#dialogue.reply(replies.identityLost)
    }
    if (transaction.recipients === 0) return this.#dialogue.reply(replies.noValidRecipients)
    const { utf8, fate } = transaction
    const { identity, authentication } = asker
    const protocol = transmissionType({ extended, utf8, inTls: identity.kind !== 'plaintext', authenticated: authentication !== null })
    this.#dialogue.say({ kind: 'openMessage', envelope: transaction.envelope(), asker, protocol, delivery: fate })
    const { limits, hostname, completesHeader } = this.#settings
    const submission = completesHeader ? { author: presumedAuthor(transaction.reversePath, asker) } : null
    this.#stage = { at: 'message', transaction, message: new IncomingMessage(limits, { hostname, submission }) }
    this.#dialogue.reply(replies.startInput)
  }

  /** Reads what has arrived of the message. */
  read(unread: LineReader): void {
    const stage = this.#stage
    assert(stage.at === 'message', 'a message is open')
    const { transaction, message } = stage
    const { read, store } = message.read(unread.unread)
    unread.skip(read)
    for (const part of store) this.#dialogue.say(part)
    if (message.isEndless) return this.#dialogue.hangUp(message.refusal() ?? replies.messageTooBig(this.#settings.limits.messageBytes))
    if (message.ended) this.#finish(transaction, message)
  }

  /** The line with only a dot. What is refused now is the client's to send again or to give up (RFC 5321 §4.2.5). */
  #finish(transaction: MailTransaction, message: IncomingMessage): void {
    const refused = transaction.identityLost ? replies.identityLost : message.refusal()
    if (refused === null) {
      this.#stage = { at: 'storage' }
      return this.#dialogue.commit()
    }
    this.#stage = OUTSIDE
    this.#dialogue.say({ kind: 'dropMessage' })
    // What comes next may have been smuggled in as part of the message (S1): none of it is read.
    if (message.isSuspicious) return this.#dialogue.hangUp(refused)
    this.#dialogue.reply(refused)
  }

  /**
   * RFC 5321 §6.1: the 250 takes responsibility for the message, so it comes only after the message
   * is known to be on stable storage.
   */
  committed(reply: Reply): void {
    assert(this.#stage.at === 'storage', 'a message was to be stored')
    this.#stage = OUTSIDE
    this.#dialogue.reply(reply)
  }

  /** What was accepted for an identity that no longer counts goes no further. A message being stored is past that. */
  loseIdentity(): void {
    switch (this.#stage.at) {
      case 'outside':
      case 'storage':
        return
      case 'sender':
      case 'transaction':
      case 'recipient':
      case 'message':
        return this.#stage.transaction.loseIdentity()
      default:
        return unreachable(this.#stage)
    }
  }

  #transaction(): MailTransaction {
    assert(this.#stage.at === 'transaction', 'MAIL came first')
    return this.#stage.transaction
  }
}
