/**
 * The server's half of an SMTP connection (RFC 5321 §3 and §4), without I/O.
 *
 * Facts go in, intentions come out (session-events.ts). While the session waits for another answer
 * than the client's, it keeps the client's bytes and does not read them. From that one rule follow
 * correct pipelining (RFC 2920), and that no command can overtake a decision.
 *
 * A client may send its commands in any order, so this is a phase and a method for each command.
 * What happens from MAIL to the end of a message is in mail-exchange.ts, a login in auth-exchange.ts.
 */

import { withoutCertificate, type ClientIdentity } from '../names/identity.ts'
import type { Asker, Decision } from '../policy/decision.ts'
import { mechanismsFor } from '../sasl/mechanisms.ts'
import { parseXclient } from '../peers/xclient.ts'
import { ALL_FEATURES, type ServerFeatures } from '../policy/session-terms.ts'
import { assert, unreachable } from '../result.ts'
import { Admission } from './admission.ts'
import { AuthExchange } from './auth-exchange.ts'
import { ABOUT_MAIL, isOfOtherProtocol, LAST_OF_GROUP, outOfOrder } from './command-order.ts'
import { LONGEST_LINE_OCTETS, parseCommand, type Command, type Verb } from './command.ts'
import { Dialogue } from './dialogue.ts'
import { EtrnExchange } from './etrn-exchange.ts'
import { helpReply } from './help.ts'
import { LineReader, type Line } from './line-reader.ts'
import { MailExchange } from './mail-exchange.ts'
import { offeredKeywords } from './offer.ts'
import { commandRefusal, limitRefusal, refusalBy, replies, type Reply } from './reply.ts'
import type { SessionInput, SessionOutput, SessionRules, SessionSettings } from './session-events.ts'

type Hello = { readonly name: string; readonly extended: boolean }

const NOT_STORED = { full: replies.storageFull, failed: replies.storageFailed } as const

export class ServerSession {
  readonly #unread = new LineReader()
  readonly #dialogue: Dialogue
  readonly #admission: Admission
  readonly #mail: MailExchange
  readonly #auth: AuthExchange
  readonly #etrn: EtrnExchange
  #host: Asker['host'] = { address: '', name: null }
  #features = ALL_FEATURES
  #identity: ClientIdentity = { kind: 'plaintext' }
  #hello: Hello | null = null
  /** The client has said by XCLIENT for whom it speaks. */
  #speaksForOthers = false
  /** What the session ends with, once no message is on its way. */
  #farewell: Reply | null = null

  constructor(settings: SessionSettings) {
    this.#dialogue = new Dialogue(settings)
    this.#admission = new Admission(this.#dialogue)
    this.#mail = new MailExchange(this.#dialogue)
    this.#auth = new AuthExchange(this.#dialogue)
    this.#etrn = new EtrnExchange(this.#dialogue)
  }

  get #settings(): SessionSettings {
    return this.#dialogue.settings
  }

  /** Takes a fact. Answers with what is to be done, in this order. */
  handle(input: SessionInput): SessionOutput[] {
    if (this.isClosing) return []
    this.#take(input)
    this.#readOn()
    return this.#dialogue.take()
  }

  /** RFC 5321 §4.5.3.2: how long the client may be silent now. */
  timeoutSeconds(): number {
    const { commandSeconds, dataSeconds } = this.#settings.limits
    return this.isReceivingMessage ? dataSeconds : commandSeconds
  }

  /** Between `354` and the end of the message, and within a chunk of one. */
  get isReceivingMessage(): boolean {
    return this.#mail.isReceivingMessage
  }

  /** `close` has been asked for. Nothing has an effect any more. */
  get isClosing(): boolean {
    return this.#dialogue.turn === 'nobody'
  }

  #take(input: SessionInput): void {
    switch (input.kind) {
      case 'connected':
        return this.#connected(input.address, input.identity, input.features ?? ALL_FEATURES)
      case 'bytes':
        return this.#receive(input.bytes)
      case 'tlsEstablished':
        return this.#tlsEstablished(input.identity)
      case 'decided':
        this.#host = input.host
        return this.#decided(input.decision)
      case 'overLimit':
        return this.#mail.overLimit(limitRefusal(input.excess, this.#settings.hostname, input.id))
      case 'credentialsJudged':
        assert(this.#dialogue.turn === 'credentials', 'the credentials were asked about')
        return this.#auth.answered(input.answer, input.id)
      case 'stored':
        return this.#mail.committed(replies.queued(input.id))
      case 'queueWoken':
        return this.#etrn.woken(input.messages)
      case 'storageFailed':
        return this.#mail.committed(NOT_STORED[input.why])
      case 'idle':
        return this.#dialogue.hangUp(replies.idle(this.#settings.hostname))
      case 'reloaded':
        return this.#reloaded(input.rules)
      case 'shutDown':
        this.#farewell = replies.shuttingDown(this.#settings.hostname)
        return
      case 'withdrawn':
        return this.#mail.committed(refusalBy(input.decision))
      case 'identityLost':
        return this.#identityLost(input.identity, refusalBy(input.decision))
      case 'loginEnded':
        // It was of the peer that has spoken for somebody else since, or it has been lost before.
        if (this.#auth.authentication !== null) this.#farewell = replies.loginEnded(this.#settings.hostname)
        return
      default:
        return unreachable(input)
    }
  }

  /** Bytes in the clear behind `220` to STARTTLS are nobody's: neither TLS's nor the client's own (S3). */
  #receive(bytes: Uint8Array): void {
    if (this.#dialogue.turn === 'tls') return this.#dialogue.hangUp(replies.bytesBehindStartTls)
    this.#unread.push(bytes)
  }

  /** Reads for as long as it is the client's turn. A message that has begun is finished before the session ends. */
  #readOn(): void {
    while (this.#dialogue.turn === 'client') {
      if (this.#mail.isReading) {
        if (!this.#unread.hasUnread) return
        this.#mail.read(this.#unread)
      } else if (this.#farewell !== null) {
        this.#dialogue.hangUp(this.#farewell)
      } else {
        const line = this.#unread.readLine(LONGEST_LINE_OCTETS)
        if (line === null) return
        this.#readLine(line)
      }
    }
  }

  #readLine(line: Line): void {
    if (line.kind === 'bareLineEnd') return this.#dialogue.hangUp(replies.bareLineEnd)
    if (this.#auth.isOpen) return this.#auth.read(line)
    const parsed = parseCommand(line)
    const isQuit = parsed.ok && parsed.value.verb === 'QUIT'
    // RFC 5321 §3.1: after a 554 greeting, 503 to all but QUIT.
    if (this.#admission.isRefused && !isQuit) return this.#dialogue.reply(replies.connectionRefused)
    if (parsed.ok) return this.#command(parsed.value)
    const refusal = commandRefusal(parsed.problem)
    const { kind } = parsed.problem
    // A line that cannot be read may have been XCLIENT, and going on would be going on as the peer.
    const maySayWho = this.#mayIntroduce && (kind === 'tooLong' || kind === 'unprintable')
    if (kind === 'notSmtp' || kind === 'badChunk' || maySayWho) return this.#dialogue.hangUp(refusal)
    this.#dialogue.reply(refusal)
  }

  #command(command: Command): void {
    const { verb } = command
    if (this.#unread.hasUnread && LAST_OF_GROUP.has(verb)) {
      return this.#dialogue.hangUp(verb === 'STARTTLS' ? replies.bytesBehindStartTls : replies.pipelinedBehind(verb))
    }
    const refusal = this.#notNow(verb)
    if (refusal === null) return this.#execute(command)
    if (command.verb === 'BDAT') return this.#mail.refuseChunk(command.chunk, refusal)
    this.#dialogue.reply(refusal)
  }

  /** Why this is no moment for such a command, or null. */
  #notNow(verb: Verb): Reply | null {
    if (isOfOtherProtocol(verb, this.#settings.listener)) return verb === 'BDAT' ? replies.notImplemented : replies.unknownCommand
    const { handshakeRefusal } = this.#admission
    if (handshakeRefusal !== null && ABOUT_MAIL.has(verb)) return handshakeRefusal
    const circumstances = { afterHello: this.#hello !== null, inTransaction: this.#mail.isOpen, inTls: this.#identity.kind !== 'plaintext' }
    const wrong = outOfOrder(verb, circumstances)
    return wrong === replies.helloFirst && this.#settings.listener === 'lmtp' ? replies.lhloFirst : wrong
  }

  #execute(command: Command): void {
    switch (command.verb) {
      case 'EHLO':
      case 'LHLO':
        return this.#sayHello(command.name, true)
      case 'HELO':
        return this.#sayHello(command.name, false)
      case 'STARTTLS':
        return this.#startTls()
      case 'AUTH':
        return this.#auth.begin(command, this.#asker(), this.#mechanisms)
      case 'XCLIENT':
        return this.#xclient(command.argument)
      case 'MAIL':
        return this.#mail.mail(command, this.#asker(), this.#admission.fate)
      case 'RCPT':
        return this.#mail.rcpt(command, this.#asker())
      case 'DATA':
        return this.#mail.data(this.#asker(), this.#hello?.extended ?? false)
      case 'BDAT':
        return this.#mail.bdat(command.chunk, this.#asker(), this.#hello?.extended ?? false)
      case 'RSET':
        this.#mail.reset()
        return this.#dialogue.reply(replies.reset)
      case 'NOOP':
        return this.#dialogue.reply(replies.noop)
      case 'VRFY':
        return this.#dialogue.reply(replies.cannotVerify)
      case 'HELP':
        return this.#dialogue.reply(helpReply(command.topic, this.#settings.listener))
      case 'ETRN':
        return this.#etrn.ask(command.argument, this.#asker())
      case 'QUIT':
        return this.#dialogue.hangUp(replies.bye(this.#settings.hostname))
      default:
        return unreachable(command)
    }
  }

  #connected(address: string, identity: ClientIdentity, features: ServerFeatures): void {
    assert(this.#dialogue.turn === 'listener', 'a session is connected once')
    this.#features = features
    this.#host = { address, name: null }
    this.#identity = identity
    this.#admission.ask(this.#asker())
  }

  #decided(decision: Decision): void {
    assert(this.#dialogue.turn === 'policy', 'the policy was asked')
    if (this.#dialogue.answer(decision)) return
    if (this.#admission.isAsking) return this.#admission.decided(decision, this.#asker(), this.#unread.hasUnread)
    this.#mail.decided(decision)
  }

  /** RFC 5321 §4.1.1.1. A later EHLO resets as RSET does (§4.1.4). */
  #sayHello(name: string, extended: boolean): void {
    const { hostname, listener, limits } = this.#settings
    this.#hello = { name, extended }
    this.#mail.reset()
    const offer = {
      listener,
      limits,
      futureRelease: this.#isOrMayBeKnown ? this.#settings.futureRelease : null,
      startTls: this.#offersStartTls && this.#identity.kind === 'plaintext',
      inTls: this.#identity.kind !== 'plaintext',
      mechanisms: this.#mechanisms,
      xclient: this.#mayIntroduce,
      etrn: this.#etrn.grants(this.#asker()).length > 0,
      hidden: this.#features.hiddenKeywords,
    }
    this.#dialogue.reply(replies.hello([hostname, ...(extended ? offeredKeywords(offer) : [])]))
  }

  /**
   * RFC 3207 §4. Bytes that are here already came in the clear, perhaps from someone on the path;
   * read after the handshake they would look like the client's own. `#command` has seen that there
   * are none.
   */
  #startTls(): void {
    if (!this.#offersStartTls) return this.#dialogue.reply(replies.startTlsNotOffered)
    if (this.#features.startTls === 'broken') return this.#refuse('startTls')
    this.#dialogue.reply(replies.readyForTls)
    this.#dialogue.startTls()
  }

  /** RFC 3207 §4.2: forget all that the client said before the handshake. */
  #tlsEstablished(identity: ClientIdentity): void {
    assert(this.#dialogue.turn === 'tls', 'TLS was asked for')
    assert(!this.#unread.hasUnread, 'nothing sent in the clear survives the handshake')
    assert(identity.kind !== 'plaintext', 'a handshake ends in TLS')
    this.#identity = identity
    this.#auth.forget()
    this.#hello = null
    this.#mail.reset()
    this.#admission.askAboutHandshake(this.#asker())
  }

  /** After XCLIENT a handshake would make the peer itself our client again, and it may have passed the client through. */
  get #offersStartTls(): boolean {
    return this.#settings.offersStartTls && this.#features.startTls !== 'hidden' && !this.#speaksForOthers
  }

  /** None for somebody else's client: the channel that a login would be bound to is not its own. */
  get #mechanisms(): readonly string[] {
    return this.#features.authentication && !this.#speaksForOthers ? mechanismsFor(this.#identity, this.#settings.logins) : []
  }

  /** RFC 6409 §4.3: who submits is known. Few programs say EHLO again after AUTH, so a login that may still come is enough. */
  get #isOrMayBeKnown(): boolean {
    return this.#identity.kind === 'verified' || this.#auth.authentication !== null || this.#mechanisms.length > 0
  }

  get #mayIntroduce(): boolean {
    return this.#settings.takesXclient && !this.#speaksForOthers
  }

  /**
   * What the peer has proved or said by now is about the peer, and the client has proved nothing: only
   * the TLS itself stays. The session begins again at the greeting, with the policy's leave.
   */
  #xclient(argument: string): void {
    if (!this.#settings.takesXclient) return this.#refuse('xclient')
    if (this.#speaksForOthers) return this.#dialogue.reply(replies.xclientTwice)
    const introduction = parseXclient(argument)
    if (!introduction.ok) return this.#dialogue.hangUp(replies.badXclient(introduction.problem))
    const { host, hello, login } = introduction.value
    this.#speaksForOthers = true
    this.#host = host
    this.#identity = withoutCertificate(this.#identity)
    this.#auth.forget()
    this.#mail.reset()
    this.#hello = hello
    this.#dialogue.say({ kind: 'speakFor', host, login })
    this.#admission.ask(this.#asker())
  }

  /** What is settled already, the policy gives its reasons for. */
  #refuse(kind: 'startTls' | 'xclient'): void {
    this.#dialogue.consult({ kind, asker: this.#asker() }, decision => this.#dialogue.reply(refusalBy(decision)))
  }

  /** A peer whose word for others counts no more cannot become itself again, and says nothing further. */
  #reloaded(rules: SessionRules): void {
    this.#dialogue.reload(rules)
    if (this.#speaksForOthers && !rules.takesXclient) this.#farewell = replies.speaksForNobody(this.#settings.hostname)
  }

  /** The certificate or the password was revoked meanwhile. All that follows is judged without it. */
  #identityLost(identity: ClientIdentity, refusal: Reply): void {
    // It was of the peer that has spoken for somebody else since, and nothing of it counts any more.
    if (this.#speaksForOthers) return
    this.#identity = identity
    this.#auth.forget()
    this.#mail.loseIdentity(refusal)
  }

  #asker(): Asker {
    return {
      listener: this.#settings.listener,
      host: this.#host,
      hello: this.#hello?.name ?? '',
      identity: this.#identity,
      authentication: this.#auth.authentication,
    }
  }
}
