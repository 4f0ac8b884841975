/**
 * Runs client scripts over one channel. All the waiting of a delivery on the wire is in this class.
 *
 * What a script sends in a row leaves as one write, and a small message leaves with its final dot as
 * one write. A reply that has arrived already is answered without waiting.
 */

import { assert, type Result } from '../core/result.ts'
import type { AttemptProblem } from '../core/message/outcome.ts'
import { judgeNextHop, proofOf } from '../core/policy/next-hop-tls.ts'
import type { Policy } from '../core/policy/policy.ts'
import { ChunkEncoder } from '../core/smtp/chunk-encoder.ts'
import { callOut, type CalloutReport } from '../core/smtp/client-callout.ts'
import { greet, type GreetingPlan } from '../core/smtp/client-greeting.ts'
import { deliver, quit } from '../core/smtp/client-session.ts'
import type { BodyForm, ClientFact, ClientSession, ClientStep, Delivery, DeliveryReport, Script } from '../core/smtp/client-session.ts'
import { DataEncoder } from '../core/smtp/data-encoder.ts'
import { EightBitFinder } from '../core/smtp/eight-bit.ts'
import { ReplyParser } from '../core/smtp/reply-parser.ts'
import type { Body, ClientChannel, ClientTls } from './ports.ts'

/** RFC 5321 §4.5.3.2.5: three minutes for each block of the message. */
const BLOCK_SECONDS = 180
const BLOCK_BYTES = 64 * 1024
const HANDSHAKE_SECONDS = 60

export class Connection {
  readonly #channel: ClientChannel
  readonly #tls: ClientTls
  /** The one in force when the connection was opened: after a reload no message begins on it. */
  readonly #policy: Policy
  readonly #parser = new ReplyParser()
  #unsent = ''
  #session: ClientSession | null = null
  #transactions = 0

  constructor(channel: ClientChannel, tls: ClientTls, policy: Policy) {
    this.#channel = channel
    this.#tls = tls
    this.#policy = policy
  }

  /** Transactions made over this connection. */
  get transactions(): number {
    return this.#transactions
  }

  /** There is a session, and nothing has ended it. */
  get isOpen(): boolean {
    return this.#session !== null
  }

  /** The server has not said that it takes no further message over this connection. */
  get takesMore(): boolean {
    return this.#session?.transactionsLeft !== 0
  }

  /** Makes the connection ready for messages, or closes it. */
  async greet(plan: GreetingPlan): Promise<Result<ClientSession, AttemptProblem>> {
    const ready = await this.#run(greet(plan), null)
    if (ready.ok) this.#session = ready.value
    else this.close()
    return ready
  }

  /** Sends a message to some of its recipients. Closes the connection if it is of no more use. */
  async deliver(delivery: Delivery, body: Body): Promise<DeliveryReport> {
    assert(this.#session !== null, 'a connection that delivers has been greeted and is open')
    this.#transactions++
    const report = await this.#run(deliver(this.#session, delivery), body)
    // What it says unasked would be taken for the reply to something else.
    this.#session = this.#hasUnread ? null : report.session
    if (this.#session === null) this.close()
    return report
  }

  /** Asks about a recipient. Nothing but `quit` may follow. */
  async callOut(forwardPath: string): Promise<CalloutReport> {
    assert(this.#session !== null, 'a connection that asks has been greeted and is open')
    return this.#run(callOut(this.#session, forwardPath), null)
  }

  /** Takes leave as RFC 5321 §4.1.1.10 wants it, and closes. */
  async quit(): Promise<void> {
    const session = this.#session
    this.#session = null
    if (session !== null) await this.#run(quit(session.peer), null)
    this.close()
  }

  /** Cuts the connection; whatever waits for the server learns that it is lost. */
  close(): void {
    this.#session = null
    this.#channel.close()
  }

  async #run<Answer>(script: Script<Answer>, body: Body | null): Promise<Answer> {
    let step = script.next()
    while (!step.done) {
      const fact = this.#perform(step.value, body)
      step = script.next(fact instanceof Promise ? await fact : fact)
    }
    return step.value
  }

  #perform(step: ClientStep, body: Body | null): ClientFact | Promise<ClientFact> {
    switch (step.kind) {
      case 'send':
        this.#unsent += step.text
        return DONE
      case 'receive':
        // A reply that was there before its command was sent is none: first send, then look.
        return (this.#unsent === '' ? this.#takeReply() : null) ?? this.#receive(step.timeoutSeconds)
      case 'receiveAlone':
        return this.#receiveAlone(step.timeoutSeconds)
      case 'startTls':
        return this.#startTls()
      case 'askPolicy':
        return { kind: 'judged', answer: judgeNextHop(this.#policy, step.question) }
      case 'inspectBody':
        return this.#inspectBody(body)
      case 'sendBody':
        return this.#sendBody(body, step.form)
    }
  }

  #takeReply(): ClientFact | null {
    const reply = this.#parser.take()
    if (reply === null) return null
    return reply.ok ? { kind: 'replied', reply: reply.value } : { kind: 'badReply', detail: reply.problem.detail }
  }

  /** The deadline is for the whole reply: a server that sends a byte a minute is as good as silent (S19). */
  async #receive(timeoutSeconds: number): Promise<ClientFact> {
    this.#channel.setDeadline(timeoutSeconds)
    await this.#flush()
    for (;;) {
      const reply = this.#takeReply()
      if (reply !== null) return reply
      const bytes = await this.#channel.read()
      if (bytes === null) return { kind: 'lost', detail: this.#channel.lostBecause() }
      this.#parser.feed(bytes)
    }
  }

  async #receiveAlone(timeoutSeconds: number): Promise<ClientFact> {
    const reply = this.#hasUnread ? OUT_OF_STEP : await this.#receive(timeoutSeconds)
    return reply.kind === 'replied' && this.#hasUnread ? OUT_OF_STEP : reply
  }

  get #hasUnread(): boolean {
    return this.#parser.hasUnread() || this.#channel.hasUnread()
  }

  async #flush(): Promise<void> {
    if (this.#unsent === '') return
    const text = this.#unsent
    this.#unsent = ''
    await this.#channel.write(text)
  }

  /** Whatever arrived in the clear by now would be read as if it had come through TLS (S4). */
  async #startTls(): Promise<ClientFact> {
    assert(this.#unsent === '', 'nothing is left to send when TLS starts')
    if (this.#hasUnread)
      return { kind: 'tlsFailed', cause: 'injected', detail: 'there were bytes in the clear where the handshake had to begin' }
    this.#channel.setDeadline(HANDSHAKE_SECONDS)
    const identity = await this.#channel.startTls(this.#tls)
    if ('failed' in identity) return { kind: 'tlsFailed', cause: 'handshake', detail: identity.failed }
    const { tls, certificate, chainProblem, problem } = identity
    return { kind: 'tlsEstablished', protocol: `${tls.version} ${tls.cipher}`, unverified: problem, proof: proofOf(tls, certificate, chainProblem) }
  }

  async #inspectBody(body: Body | null): Promise<ClientFact> {
    assert(body !== null, 'a delivery has a message')
    const finder = new EightBitFinder()
    try {
      for await (const chunk of body.chunks()) finder.feed(chunk)
    } catch (error) {
      return unreadable(error)
    }
    return { kind: 'inspected', found: finder.found() }
  }

  async #sendBody(body: Body | null, form: BodyForm): Promise<ClientFact> {
    assert(body !== null, 'a delivery has a message')
    const encoder = form === 'dotted' ? new DataEncoder() : new ChunkEncoder(body.sizeBytes, form === 'binary chunk')
    let block: Uint8Array[] = this.#unsent === '' ? [] : [Buffer.from(this.#unsent, 'latin1')]
    let blockBytes = 0
    this.#unsent = ''
    const send = async (): Promise<void> => {
      this.#channel.setDeadline(BLOCK_SECONDS)
      await this.#channel.write(block.length === 1 && block[0] !== undefined ? block[0] : Buffer.concat(block))
      block = []
      blockBytes = 0
    }
    try {
      for await (const chunk of body.chunks()) {
        if (blockBytes + chunk.length > BLOCK_BYTES) await send()
        const encoded = encoder.encode(chunk)
        block.push(encoded)
        blockBytes += encoded.length
      }
      block.push(Buffer.from(encoder.end(), 'latin1'))
    } catch (error) {
      return unreadable(error)
    }
    await send()
    return DONE
  }
}

const DONE: ClientFact = { kind: 'done' }
const OUT_OF_STEP: ClientFact = { kind: 'badReply', detail: 'it has said more than it was asked' }

function unreadable(error: unknown): ClientFact {
  return { kind: 'bodyUnreadable', detail: `the message could not be read: ${error instanceof Error ? error.message : String(error)}` }
}
