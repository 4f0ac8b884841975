/**
 * Conversations as the client sees them. `C:` and `S:` as in the RFC; consecutive `C:` lines left as
 * one write. `*` is what text can't show, `=>` what the script returns.
 */

import assert from 'node:assert/strict'
import { describeOutcome, describeProblem, type Outcome } from '../../src/core/message/outcome.ts'
import { deliver, greet, type ClientFact, type ClientSession, type Delivery, type GreetingPlan, type Script } from '../../src/core/smtp/client-session.ts'
import { NO_EXTENSIONS, type Extensions } from '../../src/core/smtp/extensions.ts'
import { ReplyParser } from '../../src/core/smtp/reply-parser.ts'

export const peer = 'mx'

/** Runs a script; `S:` and `*` lines of the source are what happens to it. Returns what was seen, as text. */
export function play<Answer>(script: Script<Answer>, source: string): { seen: string; answer: Answer } {
  const events = source.split('\n').map(line => line.trim()).filter(line => /^[S*]/.test(line))
  const seen: string[] = []
  let step = script.next()
  while (!step.done) step = script.next(perform(step.value, events, seen))
  return { seen: seen.join('\n'), answer: step.value }
}

function perform(step: { kind: string; text?: string; form?: string }, events: string[], seen: string[]): ClientFact {
  if (step.kind === 'send') {
    seen.push(...(step.text ?? '').split('\r\n').filter(line => line !== '').map(line => `C: ${line}`))
    return { kind: 'done' }
  }
  if (step.kind === 'sendBody' && events[0] !== '* unreadable') {
    seen.push(`C: (${step.form === 'dotted' ? 'message' : step.form})`)
    return { kind: 'done' }
  }
  const parser = new ReplyParser()
  for (;;) {
    const event = events.shift() ?? assert.fail(`the script wants to ${step.kind} and nothing is left`)
    seen.push(event)
    if (event.startsWith('*')) return fact(event.slice(2))
    parser.feed(Buffer.from(`${event.slice(3)}\r\n`))
    const reply = parser.take()
    if (reply !== null) return reply.ok ? { kind: 'replied', reply: reply.value } : { kind: 'badReply', ...reply.problem }
  }
}

function fact(text: string): ClientFact {
  const [what = '', ...rest] = text.split(' ')
  const detail = rest.join(' ')
  if (what === 'lost') return { kind: 'lost', detail }
  if (what === 'tls') return { kind: 'tlsEstablished', protocol: 'TLSv1.3', unverified: detail === 'verified' ? null : detail }
  if (what === 'broken' || what === 'injected') return { kind: 'tlsFailed', cause: what === 'broken' ? 'handshake' : what, detail }
  if (what === 'unreadable') return { kind: 'bodyUnreadable', detail: 'gone' }
  assert.equal(what, 'inspected')
  return { kind: 'inspected', found: { header: detail.includes('header'), body: detail.includes('body'), isBinary: detail.includes('binary') } }
}

export function sameText(seen: string, source: string): void {
  assert.equal(seen, source.trim().split('\n').map(line => line.trim()).join('\n'))
}

export function checkGreeting(plan: Partial<GreetingPlan>, source: string): ClientSession | null {
  const { seen, answer } = play(greet({ peer, helloName: 'us', tls: 'opportunistic', implicitTls: false, ...plan }), source)
  sameText(`${seen}\n=> ${answer.ok ? `ready, ${answer.value.tls ?? 'in clear'}` : describeProblem(answer.problem)}`, source)
  return answer.ok ? answer.value : null
}

export const modern: Extensions = { ...NO_EXTENSIONS, pipelining: true, eightBitMime: true, smtpUtf8: true, size: true }

export function checkDelivery(delivery: Partial<Delivery>, session: Partial<ClientSession>, source: string): ReturnType<typeof ended> {
  const whole: Delivery = { reversePath: 'joe@a', forwardPaths: ['ann@b'], bodyType: '7BIT', utf8: false, sizeBytes: 99, ...delivery }
  const { seen, answer } = play(deliver({ peer, extensions: modern, tls: null, mustReset: false, ...session }, whole), source)
  sameText([seen, ...answer.outcomes.map(line)].filter(text => text !== '').join('\n'), source)
  return ended(answer)
}

const line = (outcome: Outcome): string => `=> ${outcome.kind}: ${describeOutcome(outcome)}`
export const ended = (answer: { session: ClientSession | null; wentAway: boolean }) => ({
  next: answer.session === null ? 'close' : answer.session.mustReset ? 'reset' : 'reuse',
  wentAway: answer.wentAway,
})
