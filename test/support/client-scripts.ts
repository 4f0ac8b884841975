/**
 * Conversations as the client sees them. `C:` and `S:` as in the RFC; consecutive `C:` lines left as
 * one write. `*` is what text can't show, `=>` what the script returns; lines of the access map that
 * had a say stand behind it in brackets.
 */

import assert from 'node:assert/strict'
import { describeOutcome, outcomeOf, type Outcome } from '../../src/core/message/outcome.ts'
import { judgeNextHop, unprotected, type TlsProof } from '../../src/core/policy/next-hop-tls.ts'
import type { Policy } from '../../src/core/policy/policy.ts'
import { greet, type GreetingPlan } from '../../src/core/smtp/client-greeting.ts'
import { deliver, type ClientFact, type ClientSession, type ClientStep, type Delivery, type Script } from '../../src/core/smtp/client-session.ts'
import { NO_EXTENSIONS, type Extensions } from '../../src/core/smtp/extensions.ts'
import { ReplyParser } from '../../src/core/smtp/reply-parser.ts'
import { envelopeTo } from './queued.ts'
import { policyWith } from './policies.ts'

export const peer = 'mx'
const HOST = { name: 'mx', address: '192.0.2.7' }

/** Runs a script; `S:` and `*` lines of the source are what happens to it. Returns what was seen, as text. */
export function play<Answer>(script: Script<Answer>, source: string, policy: Policy = policyWith('')): { seen: string; answer: Answer } {
  const events = source.split('\n').map(line => line.trim()).filter(line => /^[S*]/.test(line))
  const seen: string[] = []
  let step = script.next()
  while (!step.done) step = script.next(perform(step.value, events, seen, policy))
  return { seen: seen.join('\n'), answer: step.value }
}

function perform(step: ClientStep, events: string[], seen: string[], policy: Policy): ClientFact {
  if (step.kind === 'askPolicy') return { kind: 'judged', answer: judgeNextHop(policy, step.question) }
  if (step.kind === 'send') {
    seen.push(...step.text.split('\r\n').filter(line => line !== '').map(line => `C: ${line}`))
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
  if (what === 'tls') return { kind: 'tlsEstablished', protocol: 'TLSv1.3', unverified: detail === 'verified' ? null : detail, proof: proof(detail) }
  if (what === 'broken' || what === 'injected') return { kind: 'tlsFailed', cause: what === 'broken' ? 'handshake' : what, detail }
  if (what === 'unreadable') return { kind: 'bodyUnreadable', detail: 'gone' }
  assert.equal(what, 'inspected')
  return { kind: 'inspected', found: { header: detail.includes('header'), body: detail.includes('body'), isBinary: detail.includes('binary') } }
}

/** `misnamed`: the chain is good, and the name another. */
function proof(detail: string): TlsProof {
  const verify = detail === 'verified' || detail === 'misnamed' ? 'OK' : 'FAIL'
  const name = detail === 'misnamed' ? 'other' : 'mx'
  return { ...unprotected(verify), cipherBits: 256, cnSubject: name, subject: `/CN=${name}`, issuer: '/CN=CA', dnsNames: [name] }
}

export function sameText(seen: string, source: string): void {
  assert.equal(seen.trim(), source.trim().split('\n').map(line => line.trim()).join('\n'))
}

export function checkGreeting({ access = '', ...changes }: Partial<GreetingPlan> & { access?: string }, source: string): ClientSession | null {
  const plan: GreetingPlan = { peer, server: HOST, helloName: 'us', ownNames: new Set(), ignoredKeywords: [], tls: 'opportunistic', requireTls: false, implicitTls: false, fallsBack: true, tlsLine: null, clearBecause: null, ...changes }
  const { seen, answer } = play(greet(plan), source, policyWith(access))
  const came = answer.ok ? `ready, ${answer.value.tls ?? 'in clear'}${inBrackets(answer.value.accessLines)}` : said(outcomeOf(answer.problem))
  sameText(`${seen}\n=> ${came}`, source)
  return answer.ok ? answer.value : null
}

export const modern: Extensions = { ...NO_EXTENSIONS, pipelining: true, eightBitMime: true, smtpUtf8: true, size: true }

export const clear: ClientSession = {
  peer, extensions: modern, tls: null, isVerified: false, server: { ...HOST, ...unprotected('NONE') }, accessLines: [], transactionsLeft: null, domains: new Set(), isUsed: false,
  hello: { command: 'EHLO us\r\n', reply: { code: 250, enhanced: null, lines: ['mx hello'] } },
}

export function deliveryTo(forwardPaths: readonly string[], changes: Partial<Delivery> = {}): Delivery {
  return { ...envelopeTo(forwardPaths), sizeBytes: 1, ...changes }
}

export function checkDelivery(
  { access = '', ...changes }: Partial<Delivery> & { access?: string; forwardPaths?: readonly string[] },
  session: Partial<ClientSession>,
  source: string,
): ReturnType<typeof ended> {
  const whole = deliveryTo(changes.forwardPaths ?? ['ann@b'], { reversePath: 'joe@a', sizeBytes: 99, ...changes })
  const { seen, answer } = play(deliver({ ...clear, ...session }, whole), source, policyWith(access))
  sameText([seen, ...answer.outcomes.map(outcome => `=> ${outcome.kind}: ${said(outcome)}`)].filter(text => text !== '').join('\n'), source)
  return ended(answer)
}

const said = (outcome: Outcome): string => `${describeOutcome(outcome)}${inBrackets(outcome.accessLines ?? [])}`
const inBrackets = (lines: readonly string[]): string => lines.map(line => ` [${line}]`).join('')
export const ended = (answer: { session: ClientSession | null; wentAway: boolean }) => ({
  next: answer.session === null ? 'close' : 'reuse',
  wentAway: answer.wentAway,
})
