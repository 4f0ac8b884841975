/**
 * What the access map says about one client's session: Srv_Features, TLS_Srv_Features and GreetPause.
 *
 * Looked up once, before the greeting. The client's name is asked for only if a line with one of
 * these tags names a host.
 */

import { tokensOf } from './access-value.ts'
import { accessAddress, clientName } from './client-address.ts'
import type { AccessEntry, ClientHost, Missing, Reason } from './decision.ts'
import { hasEntries, lookUpAddress, lookUpDomain } from './lookups.ts'
import type { Search, Tag } from './lookups.ts'
import type { Policy } from './policy.ts'
import { findPeerEntry } from './tls-requirements.ts'
import { parseTlsSettings } from './tls-session-settings.ts'
import type { TlsSettings } from './tls-session-settings.ts'

/** What this client is offered after EHLO. */
export type ServerFeatures = {
  /** `broken`: listed, and refused for now. */
  readonly startTls: 'offered' | 'hidden' | 'broken'
  readonly authentication: boolean
  /** Keywords of EHLO that are left out. */
  readonly hiddenKeywords: ReadonlySet<string>
  /** `temp…`: no service for now. */
  readonly refusesForNow: boolean
}

/** How a handshake with this client is made. */
export type HandshakeTerms = {
  readonly asksForCertificate: boolean
  /** Null for the settings that hold for everybody. */
  readonly settings: TlsSettings | null
}

export type SessionTerms = {
  readonly features: ServerFeatures
  readonly handshake: HandshakeTerms
  /** How long to wait before the greeting; null if no line says. */
  readonly greetPauseMilliseconds: number | null
  /** The lines that say so, in all and by what they are about. */
  readonly entries: readonly AccessEntry[]
  readonly sources: { readonly features: AccessEntry | null; readonly tls: AccessEntry | null }
}

export type TermsAnswer = { readonly kind: 'terms'; readonly terms: SessionTerms } | { readonly kind: 'missing'; readonly missing: Missing }

export const ALL_FEATURES: ServerFeatures = { startTls: 'offered', authentication: true, hiddenKeywords: new Set(), refusesForNow: false }

export const USUAL_TERMS: SessionTerms = {
  features: ALL_FEATURES,
  handshake: { asksForCertificate: true, settings: null },
  greetPauseMilliseconds: null,
  entries: [],
  sources: { features: null, tls: null },
}

/** RFC 5321 §4.5.3.2.1: a client waits five minutes for the greeting. */
export const LONGEST_PAUSE_MILLISECONDS = 240_000

export function sessionTerms(policy: Policy, host: ClientHost): TermsAnswer {
  const because: Reason[] = []
  const search = { policy, because }
  const used = TAGS.filter(tag => hasEntries(search, tag))
  if (used.length === 0) return USUAL
  if (host.name === null && used.some(tag => policy.survey.namesHosts.has(tag.toLowerCase()))) return { kind: 'missing', missing: { kind: 'clientName' } }
  return { kind: 'terms', terms: termsOf(search, host) }
}

/** True if a line asks this client to prove an identity before it may send; null while its name is missing. */
export function requiresIdentity(search: Search, host: ClientHost): boolean | null {
  if (!hasEntries(search, 'Srv_Features')) return false
  if (host.name === null && search.policy.survey.namesHosts.has('srv_features')) return null
  const entry = findEntry(search, 'Srv_Features', host)
  return entry !== null && letters(entry.value).includes('l')
}

const TAGS = ['Srv_Features', 'TLS_Srv_Features', 'GreetPause'] as const
const USUAL: TermsAnswer = { kind: 'terms', terms: USUAL_TERMS }

function termsOf(search: Search, host: ClientHost): SessionTerms {
  const features = findEntry(search, 'Srv_Features', host)
  const tls = findEntry(search, 'TLS_Srv_Features', host)
  const pause = pauseEntry(search, host)
  const settings = tls === null ? null : parseTlsSettings(tls.value)
  const off = features === null ? [] : letters(features.value)
  const hasLetter = (letter: string): boolean => off.includes(letter)
  return {
    features: {
      startTls: hasLetter('S') ? 'hidden' : settings?.ok === false ? 'broken' : 'offered',
      authentication: !hasLetter('A'),
      hiddenKeywords: new Set(off.flatMap(letter => KEYWORDS.get(letter) ?? [])),
      refusesForNow: features !== null && isTemporary(features.value),
    },
    handshake: { asksForCertificate: !hasLetter('V') && !hasLetter('R'), settings: settings?.ok === true ? settings.value : null },
    greetPauseMilliseconds: pause === null ? null : Math.min(Number(/^\d+/.exec(pause.value)?.[0] ?? 0), LONGEST_PAUSE_MILLISECONDS),
    entries: [features, tls, pause].filter(entry => entry !== null),
    sources: { features, tls },
  }
}

function findEntry(search: Search, tag: Tag, host: ClientHost): AccessEntry | null {
  return hasEntries(search, tag) ? findPeerEntry(search, tag, { name: clientName(host), address: accessAddress(host.address) }) : null
}

/** GreetPause has no bare tag. */
function pauseEntry(search: Search, host: ClientHost): AccessEntry | null {
  if (!hasEntries(search, 'GreetPause')) return null
  return lookUpDomain(search, 'GreetPause', clientName(host)) ?? lookUpAddress(search, 'GreetPause', accessAddress(host.address))
}

/** What a value of Srv_Features leaves out: letters, each a token. Of letters run together sendmail reads the first if it is upper case. */
export function letters(value: string): readonly string[] {
  if (isTemporary(value)) return []
  return tokensOf(value)
    .filter(word => word.length === 1 || /^[A-Z]/.test(word))
    .map(word => word.slice(0, 1))
}

function isTemporary(value: string): boolean {
  return /^temp/i.test(value)
}

/** Keywords that an upper-case letter takes off the list. */
const KEYWORDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['P', ['PIPELINING']],
  ['D', ['DSN']],
  ['E', ['ETRN']],
  ['I', ['SMTPUTF8']],
])
