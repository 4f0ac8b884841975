/**
 * Reads a file of decisions: an access map, some settings, and questions with their explained answers.
 *
 *     Words for the reader, up to the first setting.
 *     access:
 *         KEY VALUE
 *     relay domains: example.org
 *     features: delay_checks
 *
 *     ? mx 192.0.2.7 as joe: from <joe@example.org> to <ann@dest.example>
 *         the answer, as `postern explain` prints it
 *
 * Instead of `from … to …` there may be `connects`, `finishes the handshake`, `writes "…"` with the
 * header of a message as a JSON string, `starts TLS`, `speaks for others`, `fetches DOMAIN`, or `has lost its proof`.
 *
 * `renderFile` answers every question anew and gives the whole text back; a test compares the two.
 */

import { authorsOf } from '../../src/core/message/authors.ts'
import { splitFields } from '../../src/core/message/fields.ts'
import { parseAccessMap } from '../../src/core/policy/access-map.ts'
import { decide } from '../../src/core/policy/decide.ts'
import type { Asker, Authors, ClientName, Decision, KnownFacts, ListenerName, Question } from '../../src/core/policy/decision.ts'
import { explainDecision } from '../../src/core/policy/explain.ts'
import type { LoginRule } from '../../src/core/policy/login.ts'
import { compilePolicy, posternFeatures } from '../../src/core/policy/policy.ts'
import type { Policy, PolicyFeatures, PolicySource } from '../../src/core/policy/policy.ts'
import { parseEtrn } from '../../src/core/smtp/etrn.ts'
import { callerNamed } from './people.ts'

const AT = Date.UTC(2026, 10, 23, 19, 26)
const NO_FACTS: KnownFacts = { domainExists: new Map(), isMxFor: new Map() }

export function renderFile(text: string): string {
  const { head, questions } = partsOf(text)
  const policy = policyOf(head)
  const answers = questions.map(question => `${question}\n${indented(answer(policy, question))}`)
  return `${head}${answers.join('\n')}`
}

/** What is said of the site, and the lines that ask. */
export function partsOf(text: string): { readonly head: string; readonly questions: readonly string[] } {
  const start = text.search(/^\? /m)
  return { head: text.slice(0, start), questions: text.slice(start).split(/^(?=\? )/m).map(block => block.split('\n')[0] ?? '') }
}

/** Null if something must be found out first. */
export function decideLine(head: string, line: string): { readonly question: Question; readonly decision: Decision } | null {
  const question = questionIn(line)
  const given = decide(policyOf(head), question, NO_FACTS, 'D1')
  return given.kind === 'missing' ? null : { question, decision: given.decision }
}

function policyOf(head: string): Policy {
  const setting = (name: string): readonly string[] => (new RegExp(`^${name}: *(.*)$`, 'm').exec(head)?.[1] ?? '').split(/[ ,]+/).filter(word => word !== '')
  const access = (/^access:\n((?: {4}.*\n)*)/m.exec(head)?.[1] ?? '').replaceAll(/^ {4}/gm, '')
  const [senderBinding = 'enforce'] = setting('sender binding')
  const [headerFromBinding = 'off'] = setting('header from binding')
  const login = (setting('authentication')[0] ?? 'any') as LoginRule
  return compilePolicy({
    access: parseAccessMap(access, 'access').map,
    hostname: 'mx.example.org',
    localDomains: setting('local domains'),
    relayDomains: setting('relay domains'),
    ownDomains: [],
    trustedMechanisms: setting('trusted mechanisms'),
    senderBinding: senderBinding as PolicySource['senderBinding'],
    headerFromBinding: headerFromBinding as PolicySource['senderBinding'],
    etrn: setting('etrn').map(grant => ({ domain: grant.split('=')[0] ?? '', holders: (grant.split('=')[1] ?? '').split('+') })),
    logins: { mx: login, submission: login, submissions: login, lmtp: login },
    features: { ...posternFeatures, ...(Object.fromEntries(setting('features').map(word => word.split('='))) as Partial<PolicyFeatures>) },
  })
}

const QUESTION = /^\? (mx|submission|submissions|lmtp) (\S+?)(?:\((.+?)\))?(?: as (.+?))?: (?:(connects|finishes the handshake|writes .+|starts TLS|speaks for others|fetches .+|has lost its proof)|from <(.*?)>(?: to <(.*)>)?)$/

function answer(policy: Policy, line: string): readonly string[] {
  const question = questionIn(line)
  const given = decide(policy, question, NO_FACTS, 'D1')
  if (given.kind === 'missing') return [`=> must be found out first: ${Object.values(given.missing).join(' ')}`]
  return explainDecision({ at: AT, question, decision: given.decision })
}

function questionIn(line: string): Question {
  const [, listener, address = '', name, caller = 'plaintext', event, reversePath = '', forwardPath] = QUESTION.exec(line) ?? []
  if (listener === undefined) throw new Error(`not a question: ${line}`)
  const asker: Asker = {
    listener: listener as ListenerName,
    host: { address, name: name === undefined ? null : clientName(name) },
    hello: 'client.example',
    ...callerNamed(caller),
  }
  return questionOf(asker, event, reversePath, forwardPath)
}

function questionOf(asker: Asker, event: string | undefined, reversePath: string, forwardPath: string | undefined): Question {
  if (event === 'connects') return { kind: 'connection', asker }
  if (event?.startsWith('writes ') === true) return { kind: 'authors', asker, reversePath, authors: authorsIn(JSON.parse(event.slice('writes '.length))) }
  if (event === 'starts TLS') return { kind: 'startTls', asker }
  if (event === 'speaks for others') return { kind: 'xclient', asker }
  if (event === 'has lost its proof') return { kind: 'standing', asker, holder: 'joe' }
  const node = event?.startsWith('fetches ') === true ? parseEtrn(event.slice('fetches '.length)) : null
  if (node?.kind === 'node') return { kind: 'etrn', asker, node: node.node }
  if (event !== undefined) return { kind: 'handshake', asker }
  return forwardPath === undefined ? { kind: 'sender', asker, reversePath } : { kind: 'recipient', asker, reversePath, forwardPath }
}

function authorsIn(header: string): Authors {
  const section = Buffer.from(header)
  return authorsOf(section, splitFields(section), null)
}

function clientName(text: string): ClientName {
  return text === 'FAIL' || text === 'FORGED' || text === 'TEMP' ? { resolve: text } : { resolve: 'OK', name: text }
}

function indented(lines: readonly string[]): string {
  return lines.map(line => (line === '' ? '\n' : `    ${line}\n`)).join('')
}
