/**
 * A session of SMTP that a program of this host holds on its standard input (sendmail -bs): what of it
 * may go to the relay now, and how it ended.
 *
 * Such programs send all they have to say at once, and sendmail reads it at its own pace. To a relay
 * that is a client who does not wait for its turn (S30). So one command goes at a time, and the next
 * after its reply; a caller that waits for each reply itself notices nothing.
 *
 * The first line says how lines end. After a CRLF, only CRLF ends one, and what stands between is the
 * relay's to judge: if a lone LF were an end as well, text that somebody else wrote could end a message
 * which the caller has still in hand (S1). Where the first line ends with LF, as people and shell
 * scripts write, each LF is an end, for the caller too.
 */

import { LONGEST_LINE_OCTETS, parseCommand, type Command, type Verb } from '../smtp/command.ts'
import { DataDecoder } from '../smtp/data-decoder.ts'
import type { Reply } from '../smtp/reply.ts'
import { EXIT, statusOfReply } from './exit-status.ts'

/** What the next octets of the input are. */
type Phase =
  | { readonly kind: 'line' }
  /** A response of AUTH (RFC 4954 §4): a line, and no command. */
  | { readonly kind: 'response' }
  | { readonly kind: 'text'; readonly decoder: DataDecoder }
  | { readonly kind: 'chunk'; readonly octetsLeft: number }

/** What the reply that is awaited answers. */
type Asked = Verb | 'text' | 'last chunk' | 'anything else'

export class LocalSession {
  #input: Buffer = NOTHING
  #lineEnd: 'CRLF' | 'LF' | null = null
  #phase: Phase = { kind: 'line' }
  #turn: 'caller' | 'relay' | 'nobody' = 'caller'
  #asked: Asked = 'anything else'
  /** The line is longer than any command, and its beginning has gone. */
  #isTooLong = false
  #inputEnded = false
  /** The caller ended without QUIT; it is said for it. */
  #quitsForCaller = false
  #isInTransaction = false
  #taken = 0
  #refusedMail: Reply | null = null
  #refusedOther: Reply | null = null
  #lost = false

  /** Who is to speak; nobody when the session is over. */
  get turn(): 'caller' | 'relay' | 'nobody' {
    return this.#turn
  }

  /** The caller wants to see the reply that comes next. */
  get isHeard(): boolean {
    return !this.#quitsForCaller
  }

  /** More of the input. To be asked for only when it is the caller's turn and `next` has nothing. */
  feed(octets: Uint8Array): void {
    this.#input = Buffer.concat([this.#input, octets])
  }

  /** The input has ended. What was begun and is not complete goes nowhere. */
  end(): void {
    this.#inputEnded = true
  }

  /** The octets that may go to the relay now; none if more input is needed, or a reply. */
  next(): Buffer {
    const pieces: Buffer[] = []
    while (this.#turn === 'caller') {
      const piece = this.#take(this.#phase) ?? (this.#inputEnded ? this.#takeEnd() : null)
      if (piece === null) break
      pieces.push(piece)
    }
    return Buffer.concat(pieces)
  }

  /** The relay has answered, or says of its own accord why it will not go on. */
  replied(reply: Reply): void {
    if (this.#turn === 'nobody') return
    if (reply.code === 421) return this.relayIsGone()
    this.#note(this.#asked, reply)
    if (this.#turn === 'caller') return
    this.#turn = this.#asked === 'QUIT' ? 'nobody' : 'caller'
    this.#phase = phaseAfter(reply)
    if (this.#phase.kind === 'text') this.#asked = 'text'
  }

  /** The relay has closed the connection, or said what is no reply. */
  relayIsGone(): void {
    this.#lost = this.#turn !== 'nobody' && this.#asked !== 'QUIT'
    this.#turn = 'nobody'
  }

  /** The exit code, and a sentence if the replies do not tell why. 0 is for a relay that has all it was given. */
  get ending(): { readonly status: number; readonly problem: string | null } {
    const because = (status: number, problem: string | null = null): { readonly status: number; readonly problem: string | null } => ({ status, problem })
    if (this.#refusedMail !== null) return because(statusOfReply(this.#refusedMail))
    if (this.#lost) return because(EXIT.temporaryFailure, 'the relay ended the session before it had all')
    if (this.#isInTransaction) return because(EXIT.dataError, 'the session ended within a message, which was not sent')
    if (this.#taken > 0) return because(EXIT.ok)
    if (this.#refusedOther !== null) return because(statusOfReply(this.#refusedOther), 'the session had no message')
    return this.#asked === 'QUIT' && !this.#quitsForCaller ? because(EXIT.ok) : because(EXIT.dataError, 'the session had no message')
  }

  #take(phase: Phase): Buffer | null {
    switch (phase.kind) {
      case 'line':
      case 'response':
        return this.#takeLine(phase.kind)
      case 'text':
        return this.#takeText(phase.decoder)
      case 'chunk':
        return this.#takeChunk(phase.octetsLeft)
    }
  }

  #takeLine(kind: 'line' | 'response'): Buffer | null {
    const lf = this.#input.indexOf(LF)
    if (lf !== -1) this.#lineEnd ??= this.#input[lf - 1] === CR ? 'CRLF' : 'LF'
    const cr = this.#input.indexOf('\r\n')
    const end = this.#lineEnd === 'LF' && (cr === -1 || cr > lf) ? lf : cr
    if (end === -1) return this.#takeLongLine()
    const line = this.#input.toString('latin1', 0, end)
    this.#input = this.#input.subarray(end === lf ? end + 1 : end + 2)
    const command = kind === 'line' && !this.#isTooLong ? parseCommand({ kind: 'line', text: line }) : null
    this.#isTooLong = false
    this.#ask(command?.ok === true ? command.value : null)
    return Buffer.from(`${line}\r\n`, 'latin1')
  }

  /** What can only become too long is the relay's to refuse, and not kept; but for a CR that may end it. */
  #takeLongLine(): Buffer | null {
    if (this.#input.length <= LONGEST_LINE_OCTETS) return null
    this.#isTooLong = true
    const piece = this.#input.subarray(0, -1)
    this.#input = this.#input.subarray(-1)
    return piece
  }

  #ask(command: Command | null): void {
    this.#asked = command?.verb ?? 'anything else'
    this.#turn = 'relay'
    if (command?.verb !== 'BDAT') return
    const { sizeOctets, isLast } = command.chunk
    if (isLast) this.#asked = 'last chunk'
    if (sizeOctets === 0) return
    this.#phase = { kind: 'chunk', octetsLeft: sizeOctets }
    this.#turn = 'caller'
  }

  /** The decoder knows where a text ends; of what comes out of it nothing is wanted. */
  #takeText(decoder: DataDecoder): Buffer | null {
    const isLf = this.#lineEnd === 'LF'
    const raw = isLf && this.#input.at(-1) === CR ? this.#input.subarray(0, -1) : this.#input
    if (raw.length === 0) return null
    const text = isLf ? Buffer.from(raw.toString('latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1') : raw
    const sent = text.subarray(0, decoder.decode(text).read)
    this.#input = this.#input.subarray(isLf ? lengthWithin(raw, text, sent) : sent.length)
    if (decoder.ended) this.#turn = 'relay'
    return sent
  }

  #takeChunk(octetsLeft: number): Buffer | null {
    if (this.#input.length === 0) return null
    const piece = this.#input.subarray(0, octetsLeft)
    this.#input = this.#input.subarray(piece.length)
    this.#phase = { kind: 'chunk', octetsLeft: octetsLeft - piece.length }
    if (piece.length === octetsLeft) this.#turn = 'relay'
    return piece
  }

  /** A last line without its end gets one, and leave is taken of the relay. An incomplete message is given up. */
  #takeEnd(): Buffer {
    if (this.#phase.kind === 'text' || this.#phase.kind === 'chunk') {
      this.#isInTransaction = true
      this.#turn = 'nobody'
      return NOTHING
    }
    if (this.#input.length > 0) {
      this.feed(Buffer.from(this.#lineEnd === 'CRLF' ? '\r\n' : '\n'))
      return this.#takeLine(this.#phase.kind) ?? NOTHING
    }
    this.#quitsForCaller = true
    this.#asked = 'QUIT'
    this.#turn = 'relay'
    return Buffer.from('QUIT\r\n')
  }

  #note(asked: Asked, reply: Reply): void {
    if (reply.code < 400) {
      if (asked === 'MAIL') this.#isInTransaction = true
      if (ENDS_TRANSACTION.has(asked)) this.#isInTransaction = false
      if (asked === 'text' || asked === 'last chunk') this.#taken++
      return
    }
    if (asked === 'text' || asked === 'last chunk') this.#isInTransaction = false
    // A permanent refusal counts before a temporary one: the caller's whole input would meet it again.
    if (ABOUT_A_MESSAGE.has(asked)) this.#refusedMail = worse(this.#refusedMail, reply)
    else this.#refusedOther = worse(this.#refusedOther, reply)
  }
}

function phaseAfter({ code }: Reply): Phase {
  if (code === 354) return { kind: 'text', decoder: new DataDecoder() }
  return code === 334 ? { kind: 'response' } : { kind: 'line' }
}

function worse(before: Reply | null, reply: Reply): Reply {
  return before === null || (before.code < 500 && reply.code >= 500) ? reply : before
}

/** How much of `raw` became the beginning `sent` of `text`, which ends with a line or is all of it. */
function lengthWithin(raw: Buffer, text: Buffer, sent: Buffer): number {
  if (sent.length === text.length) return raw.length
  let length = 0
  for (let at = sent.indexOf(LF); at !== -1; at = sent.indexOf(LF, at + 1)) length = raw.indexOf(LF, length) + 1
  return length
}

const CR = 13
const LF = 10
const NOTHING = Buffer.alloc(0)

const ENDS_TRANSACTION: ReadonlySet<Asked> = new Set<Asked>(['EHLO', 'HELO', 'RSET', 'text', 'last chunk'])
const ABOUT_A_MESSAGE: ReadonlySet<Asked> = new Set<Asked>(['MAIL', 'RCPT', 'DATA', 'BDAT', 'text', 'last chunk'])
