/**
 * Mail transactions: from MAIL to the reply after the message (RFC 5321 §3.3).
 *
 * The policy is asked about each sender and each recipient, one at a time, and nothing here says yes
 * in its place. The 250 after a message is given in one place only, `committed`.
 */

import { presumedAuthor } from '../message/completion.ts'
import type { EnvelopeRecipient } from '../message/envelope.ts'
import type { HeaderTreatment } from '../message/header-section.ts'
import { transmissionType } from '../message/trace.ts'
import { isForSubmission, type Asker, type Decision } from '../policy/decision.ts'
import { identityUnder } from '../policy/login.ts'
import { assert, unreachable } from '../result.ts'
import { ChunkReader, type Chunk } from './chunk-reader.ts'
import type { Command } from './command.ts'
import type { Dialogue } from './dialogue.ts'
import { IncomingMessage, mostOctets } from './incoming-message.ts'
import type { LineReader } from './line-reader.ts'
import { acceptTerms } from './mail-terms.ts'
import { MailTransaction } from './mail-transaction.ts'
import { policyRefusal, replies, type Reply } from './reply.ts'
import type { MessageFate, SessionSettings } from './session-events.ts'

/** How far the current transaction has come. */
type Stage =
  | { readonly at: 'outside' }
  /** The policy has been asked about MAIL; the transaction begins if it agrees. */
  | { readonly at: 'sender'; readonly transaction: MailTransaction }
  | { readonly at: 'transaction'; readonly transaction: MailTransaction }
  | { readonly at: 'recipient'; readonly transaction: MailTransaction; readonly recipient: EnvelopeRecipient }
  /** What comes now is text of the message, by DATA. */
  | ({ readonly at: 'message' } & OpenMessage)
  /** What comes now is octets of a chunk, by BDAT. */
  | ({ readonly at: 'chunk' } & MessageInChunks)
  /** A chunk has been answered, and it was not the last. */
  | ({ readonly at: 'betweenChunks' } & MessageInChunks)
  /** What comes now is octets of a chunk that nobody wants; `refusal` is said behind them. */
  | { readonly at: 'unwantedChunk'; readonly chunk: Chunk; readonly octetsLeft: number; readonly refusal: Reply; readonly before: Refused | null }
  | Refused
  /** All of the message is here, and the policy has been asked about its authors. */
  | ({ readonly at: 'authors' } & OpenMessage)
  /** All of the message is here, and is being made durable. */
  | { readonly at: 'storage'; readonly transaction: MailTransaction }

/** `asker` is who sends it, as it was when the message began. */
type OpenMessage = { readonly transaction: MailTransaction; readonly message: IncomingMessage; readonly asker: Asker }

type MessageInChunks = OpenMessage & { readonly chunks: ChunkReader }

/** A chunk was refused, and with it the transaction. More chunks of it may be on their way (RFC 3030 §2). */
type Refused = { readonly at: 'refused'; readonly octets: number }

const OUTSIDE: Stage = { at: 'outside' }

export class MailExchange {
  readonly #dialogue: Dialogue
  #stage: Stage = OUTSIDE
  #messages = 0

  constructor(dialogue: Dialogue) {
    this.#dialogue = dialogue
  }

  get #settings(): SessionSettings {
    return this.#dialogue.settings
  }

  get isOpen(): boolean {
    return this.#stage.at === 'transaction' || this.#stage.at === 'betweenChunks'
  }

  /** What the client sends now is a message's, and wanted. */
  get isReceivingMessage(): boolean {
    return this.#stage.at === 'message' || this.#stage.at === 'chunk'
  }

  /** What the client sends now is no command. */
  get isReading(): boolean {
    return this.isReceivingMessage || this.#stage.at === 'unwantedChunk'
  }

  /** RFC 5321 §4.1.1.5. */
  reset(): void {
    if (this.#stage.at === 'betweenChunks') this.#dialogue.say({ kind: 'dropMessage' })
    this.#stage = OUTSIDE
  }

  /** RFC 5321 §4.1.1.2. `fate` is what has been decided about the session as a whole. */
  mail({ path, parameters }: Extract<Command, { verb: 'MAIL' }>, asker: Asker, fate: MessageFate): void {
    const { hostname, limits } = this.#settings
    if (this.#messages >= limits.messages) return this.#dialogue.hangUp(replies.tooManyMessages(hostname))
    const terms = acceptTerms(parameters, asker, this.#settings)
    if (!terms.ok) return this.#dialogue.reply(terms.problem)
    if (!path.isAscii && !parameters.utf8) return this.#dialogue.reply(replies.smtpUtf8Needed)
    this.#stage = { at: 'sender', transaction: new MailTransaction(path.address, terms.value, fate, terms.value.priority !== parameters.priority) }
    this.#dialogue.ask({ kind: 'sender', asker, reversePath: path.address })
  }

  /** RFC 5321 §4.1.1.3. */
  rcpt({ path, parameters }: Extract<Command, { verb: 'RCPT' }>, asker: Asker): void {
    if (this.#stage.at === 'betweenChunks') return this.#dialogue.reply(replies.chunksHaveBegun)
    const transaction = this.#transaction()
    if (transaction.identityLost !== null) return this.#dialogue.reply(transaction.identityLost)
    if (!path.isAscii && !transaction.utf8) return this.#dialogue.reply(replies.smtpUtf8Needed)
    if (transaction.recipients >= this.#settings.limits.recipients) return this.#refuseForRoom(transaction)
    const forwardPath = this.#isOurPostmaster(path.address) ? 'postmaster' : path.address
    this.#stage = { at: 'recipient', transaction, recipient: { forwardPath, ...parameters } }
    this.#dialogue.ask({ kind: 'recipient', asker, reversePath: transaction.reversePath, forwardPath, ...(transaction.requiresTls ? { requiresTls: true } : {}) })
  }

  /** RFC 5321 §4.5.1: this host has a postmaster, though it has no mailboxes; he is where `<postmaster>` is. */
  #isOurPostmaster(address: string): boolean {
    const { postmasterDomain } = this.#settings
    return postmasterDomain !== null && address.toLowerCase() === `postmaster@${postmasterDomain}`
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

  /** The policy's answer about MAIL, RCPT or a message's authors. */
  decided(decision: Decision): void {
    const stage = this.#stage
    assert(stage.at === 'sender' || stage.at === 'recipient' || stage.at === 'authors', 'the policy was asked')
    const { transaction } = stage
    const refused = this.#refusal(transaction, decision)
    if (stage.at === 'authors') return refused === null ? this.#commit(stage) : this.#refuse(stage, refused)
    if (refused !== null) return this.#refusePath(refused)
    this.#stage = { at: 'transaction', transaction }
    if (stage.at === 'sender') this.#messages++
    else transaction.add(stage.recipient)
    this.#dialogue.reply(stage.at === 'sender' ? senderTaken(transaction) : replies.recipientOk)
  }

  /** Says no to a path for now, or ends the session if that is what is too much. */
  overLimit(refusal: Reply): void {
    const isAboutPath = this.#stage.at === 'sender' || this.#stage.at === 'recipient'
    if (refusal.code === 421 || !isAboutPath) return this.#dialogue.hangUp(refusal)
    this.#refusePath(refusal)
  }

  /** Says no to the path that the policy was asked about. */
  #refusePath(reply: Reply): void {
    const stage = this.#stage
    assert(stage.at === 'sender' || stage.at === 'recipient', 'the policy was asked about a path')
    this.#stage = stage.at === 'sender' ? OUTSIDE : { at: 'transaction', transaction: stage.transaction }
    this.#dialogue.reply(reply)
  }

  #refusal(transaction: MailTransaction, decision: Decision): Reply | null {
    if (transaction.identityLost !== null) return transaction.identityLost
    transaction.takeInto(decision)
    return policyRefusal(decision)
  }

  /** RFC 5321 §4.1.1.4. */
  data(asker: Asker, extended: boolean): void {
    if (this.#stage.at === 'betweenChunks') return this.#refuse(this.#stage, replies.dataAmongChunks)
    const transaction = this.#transaction()
    if (transaction.identityLost !== null) {
      this.#stage = OUTSIDE
      return this.#dialogue.reply(transaction.identityLost)
    }
    if (transaction.recipients === 0) return this.#dialogue.reply(this.#isLmtp ? replies.noRecipientsInLmtp : replies.noValidRecipients)
    if (transaction.isBinary) return this.#dialogue.reply(replies.binaryNeedsChunks)
    this.#stage = { at: 'message', transaction, message: this.#open(transaction, asker, extended), asker }
    this.#dialogue.reply(replies.startInput)
  }

  /** RFC 3030 §2. */
  bdat(chunk: Chunk, asker: Asker, extended: boolean): void {
    const stage = this.#stage.at === 'betweenChunks' ? this.#stage : this.#firstChunk(asker, extended)
    if ('refusal' in stage) return this.refuseChunk(chunk, stage.refusal)
    const { message, chunks } = stage
    if (message.wouldBeEndless(chunk.sizeOctets)) return this.#dialogue.hangUp(replies.messageTooBig(this.#settings.limits.messageBytes))
    chunks.begin(chunk)
    this.#stage = { ...stage, at: 'chunk' }
    if (chunk.sizeOctets === 0) this.#receive(this.#stage, NOTHING)
  }

  #firstChunk(asker: Asker, extended: boolean): MessageInChunks | { readonly refusal: Reply } {
    const transaction = this.#transaction()
    if (transaction.identityLost !== null) return { refusal: transaction.identityLost }
    if (transaction.recipients === 0) return { refusal: replies.noValidRecipients }
    const chunks = new ChunkReader()
    return { transaction, message: this.#open(transaction, asker, extended, chunks), asker, chunks }
  }

  #open(transaction: MailTransaction, asker: Asker, extended: boolean, chunks?: ChunkReader): IncomingMessage {
    const { limits, logins } = this.#settings
    const { utf8, fate, isBinary, relays } = transaction
    const { identity, authentication } = asker
    const protocol = transmissionType({ isLmtp: this.#isLmtp, extended, utf8, inTls: identity.kind !== 'plaintext', authenticated: authentication !== null })
    const isKnown = relays || identityUnder(logins.rule, asker).kind === 'verified'
    this.#dialogue.say({ kind: 'openMessage', envelope: transaction.envelope(), asker, protocol, delivery: fate, isKnown })
    return new IncomingMessage(limits, this.#treatment(transaction, asker), chunks, isBinary)
  }

  /** What becomes of the header. On mx and lmtp, mail that passes whoever sends it has no authors to answer for. */
  #treatment({ reversePath, relays }: MailTransaction, asker: Asker): HeaderTreatment {
    const { hostname, listener, completesHeader, asksAboutAuthors } = this.#settings
    return {
      hostname,
      submission: completesHeader ? { author: presumedAuthor(reversePath, asker) } : null,
      readsAuthors: asksAboutAuthors && (isForSubmission(listener) || relays),
    }
  }

  /**
   * Says no to a chunk. Its octets come nonetheless, and are no commands (RFC 3030 §2): they are read
   * over first. A client that had sent more chunks before it heard of the first refusal has done
   * nothing wrong, so that only the first counts as an error.
   */
  refuseChunk(chunk: Chunk, refusal: Reply): void {
    const { limits } = this.#settings
    const before = this.#stage.at === 'refused' ? this.#stage : null
    if ((before?.octets ?? 0) + chunk.sizeOctets > mostOctets(limits)) return this.#dialogue.hangUp(replies.messageTooBig(limits.messageBytes))
    this.#stage = { at: 'unwantedChunk', chunk, octetsLeft: chunk.sizeOctets, refusal: before === null ? refusal : replies.afterRefusedChunk, before }
    if (chunk.sizeOctets === 0) this.#skip(this.#stage, NOTHING)
  }

  /** Reads what has arrived of a message, or of a chunk. */
  read(unread: LineReader): void {
    const stage = this.#stage
    assert(stage.at === 'message' || stage.at === 'chunk' || stage.at === 'unwantedChunk', 'more than commands is expected')
    unread.skip(stage.at === 'unwantedChunk' ? this.#skip(stage, unread.unread) : this.#receive(stage, unread.unread))
  }

  /** Answers with how many octets it read. */
  #receive(stage: Extract<Stage, { at: 'message' | 'chunk' }>, octets: Buffer): number {
    const { message } = stage
    const { read, store } = message.read(octets)
    for (const part of store) this.#dialogue.say(part)
    if (message.isEndless) this.#dialogue.hangUp(replies.messageTooBig(this.#settings.limits.messageBytes), this.#answersDue(stage.transaction))
    else if (stage.at === 'chunk' ? stage.chunks.atChunkEnd : message.ended) this.#finish(stage)
    return read
  }

  #skip(stage: Extract<Stage, { at: 'unwantedChunk' }>, octets: Buffer): number {
    const { chunk, refusal, before } = stage
    const read = Math.min(stage.octetsLeft, octets.length)
    const octetsLeft = stage.octetsLeft - read
    this.#stage = { ...stage, octetsLeft }
    if (octetsLeft > 0) return read
    this.#stage = chunk.isLast ? OUTSIDE : { at: 'refused', octets: (before?.octets ?? 0) + chunk.sizeOctets }
    if (before !== null && chunk.sizeOctets > 0) this.#dialogue.replyUncounted(refusal)
    else this.#dialogue.reply(refusal)
    return read
  }

  /** The line with only a dot, or the end of a chunk. What is refused now is the client's to send again or to give up (RFC 5321 §4.2.5). */
  #finish(stage: Extract<Stage, { at: 'message' | 'chunk' }>): void {
    const { transaction, message, asker } = stage
    const refused = transaction.identityLost ?? message.refusal()
    if (refused !== null) return this.#refuse(stage, refused)
    if (stage.at === 'chunk' && !message.ended) {
      this.#stage = { ...stage, at: 'betweenChunks' }
      return this.#dialogue.reply(replies.chunkTaken(stage.chunks.chunk.sizeOctets))
    }
    const { authors } = message
    if (authors === null) return this.#commit(stage)
    this.#stage = { at: 'authors', transaction, message, asker }
    this.#dialogue.ask({ kind: 'authors', asker, reversePath: transaction.reversePath, authors })
  }

  #commit({ transaction, message }: Pick<Extract<Stage, { at: 'message' }>, 'transaction' | 'message'>): void {
    this.#stage = { at: 'storage', transaction }
    this.#dialogue.commit(message.waivesTls)
  }

  /** The message that is open will not be accepted, and nor will what may still come of it. */
  #refuse(stage: Extract<Stage, { at: 'message' | 'chunk' | 'betweenChunks' | 'authors' }>, refusal: Reply): void {
    this.#stage = stage.message.ended ? OUTSIDE : { at: 'refused', octets: 0 }
    this.#dialogue.say({ kind: 'dropMessage' })
    // What comes next may have been smuggled in as part of the message (S1): none of it is read.
    if (stage.message.isSuspicious) return this.#dialogue.hangUp(refusal, this.#answersDue(stage.transaction))
    this.#answer(refusal, stage.transaction)
  }

  /**
   * RFC 5321 §6.1: the 250 takes responsibility for the message, so it comes only after the message
   * is known to be on stable storage.
   */
  committed(reply: Reply): void {
    assert(this.#stage.at === 'storage', 'a message was to be stored')
    const { transaction } = this.#stage
    this.#stage = OUTSIDE
    this.#answer(reply, transaction)
  }

  #answer(reply: Reply, transaction: MailTransaction): void {
    this.#dialogue.replyRepeatedly(reply, this.#answersDue(transaction))
  }

  /**
   * RFC 2033 §4.2: LMTP answers a message once for each RCPT that was taken. The queue takes a message as
   * a whole, so that the answers are alike.
   */
  #answersDue({ recipients }: MailTransaction): number {
    return this.#isLmtp ? recipients : 1
  }

  get #isLmtp(): boolean {
    return this.#settings.listener === 'lmtp'
  }

  /** What was accepted for an identity that no longer counts goes no further. A message being stored is past that. */
  loseIdentity(refusal: Reply): void {
    switch (this.#stage.at) {
      case 'outside':
      case 'unwantedChunk':
      case 'refused':
      case 'storage':
        return
      case 'sender':
      case 'transaction':
      case 'recipient':
      case 'message':
      case 'chunk':
      case 'betweenChunks':
      case 'authors':
        return this.#stage.transaction.loseIdentity(refusal)
      default:
        return unreachable(this.#stage)
    }
  }

  #transaction(): MailTransaction {
    assert(this.#stage.at === 'transaction', 'MAIL came first')
    return this.#stage.transaction
  }
}

const NOTHING = Buffer.alloc(0)

/** RFC 6710 §4: a client whose priority was changed is told the one it has. */
function senderTaken({ hasOtherPriority, priority }: MailTransaction): Reply {
  return hasOtherPriority ? replies.otherPriority(priority) : replies.senderOk
}
