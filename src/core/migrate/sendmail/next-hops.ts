/**
 * Where mail goes next: SMART_HOST, MAIL_HUB, the mailertable, and what TLS_Srv and Try_TLS lines ask
 * of those hosts.
 */

import type { SettingValue } from '../draft.ts'
import { isIpAddress } from '../../config/forms.ts'
import { parseAccessMap } from '../../policy/access-map.ts'
import type { AccessEntry } from '../../policy/decision.ts'
import { addEntry, sourceOf } from '../access-file.ts'
import { formatPlace } from '../report.ts'
import type { Source } from '../report.ts'
import { portOf } from './listeners.ts'
import { featureNamed, statementsOf, tableFile, variableNamed } from './site.ts'
import type { SendmailSite } from './site.ts'

export function carrySmartHost(site: SendmailSite): void {
  const { draft } = site
  const nullClient = featureNamed(site, 'nullclient')
  const smartHost = variableNamed(site, 'SMART_HOST')
  if (nullClient !== null) setSmartHost(site, nullClient, nullClient.args[0] ?? '')
  if (smartHost !== null && nullClient === null) setSmartHost(site, smartHost, smartHost.value)
  if (smartHost !== null && nullClient !== null) draft.unneeded(smartHost, 'the hub of FEATURE(nullclient) is the next hop')
}

function setSmartHost(site: SendmailSite, from: Source, value: string): void {
  const { draft } = site
  const hop = hopOf(site, value, 'relay')
  if (hop.kind === 'none') return draft.todo(from, hop.why)
  draft.set(from, 'delivery.smarthost', hop.to, hop.note)
  if (hop.doubt !== null) draft.todo(from, hop.doubt)
  const terms = termsOf(site, hop.host)
  if (terms === null) return
  draft.set(terms.from, 'delivery.tls', terms.tls, terms.note)
}

export function carryMailertable(site: SendmailSite): void {
  const { draft, files } = site
  const feature = featureNamed(site, 'mailertable')
  if (feature === null) return
  const path = tableFile(feature.args[0] ?? '', '/etc/mail/mailertable')
  const found = files.read(path)
  if (found === null) return draft.todo(feature, `${path} is not here: copy it into this folder and migrate again, or write its routes as [[route]]`)
  const { map, problems } = parseAccessMap(found.text, found.name)
  for (const problem of problems) draft.todo({ ...problem, text: problem.text }, 'makemap refuses this line, so it did nothing')
  draft.carried(feature, `the lines of ${found.name}, each by itself`)
  for (const entry of map.entries()) carryMailer(site, entry)
}

function carryMailer(site: SendmailSite, entry: AccessEntry): void {
  const { draft, access } = site
  const from = sourceOf(entry)
  const domain = entry.key === '.' ? '*' : entry.key
  const refusal = /^error:\s*(.*)$/i.exec(entry.value)?.[1]
  if (refusal !== undefined) {
    const answer = refusalValue(refusal)
    if (domain === '*' || domain.startsWith('.') || answer === null) return draft.todo(from, 'Postern refuses recipients by To: lines in the access map: write one for each domain')
    return addEntry(draft, access, from, `To:${domain}`, answer)
  }
  const route = routeTo(site, entry.value, null)
  if (route.kind === 'none') return draft.todo(from, route.why)
  if (!draft.addRoute(from, domain, route.settings)) return draft.todo(from, `there is a route for ${domain} already: choose one`)
  draft.carried(from, `[[route]] ${domain} to ${route.words}`)
  if (route.doubt !== null) draft.todo(from, route.doubt)
}

export type RouteTo =
  | { readonly kind: 'host'; readonly settings: { readonly [key: string]: SettingValue }; readonly words: string; readonly doubt: string | null }
  | { readonly kind: 'none'; readonly why: string }

/** A next hop on the terms that the access map has for it. */
export function routeTo(site: SendmailSite, value: string, fallback: string | null): RouteTo {
  const hop = hopOf(site, value, fallback)
  if (hop.kind === 'none') return hop
  const terms = termsOf(site, hop.host)
  const notes = [hop.note, ...(terms === null ? [] : [`tls = "${terms.tls}" by ${formatPlace(terms.from)}`, terms.note])].filter(note => note !== '')
  return {
    kind: 'host',
    settings: { to: hop.to, ...(terms === null ? {} : { tls: terms.tls }) },
    doubt: hop.doubt,
    words: `${hop.to}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`,
  }
}

/** `5.7.0:550 Text`, `550 Text`, `nouser 550 Text` to the value of a To: line. Null if it is none of these. */
export function refusalValue(text: string): string | null {
  const [, status, words, plain] = /^(?:(\d\.\d+\.\d+):\s*(\d{3}\b.*)|(?:[a-z]+:?\s*)?(\d{3}\b.*))$/i.exec(text.trim()) ?? []
  if (status !== undefined) return `ERROR:${status}:${words?.trim() ?? ''}`
  return plain === undefined ? null : `ERROR:${plain.startsWith('4') ? '4.3.0' : '5.1.1'}:${plain.trim()}`
}

type Hop = { readonly kind: 'host'; readonly to: string; readonly host: string; readonly note: string; readonly doubt: string | null } | { readonly kind: 'none'; readonly why: string }

/** `esmtp:[gw.example]`. `fallback` is the mailer of a value that names none. */
function hopOf(site: SendmailSite, value: string, fallback: string | null): Hop {
  const [first = '', ...rest] = outsideBrackets(value.trim())
  const hasMailer = rest.length > 0
  const mailer = (hasMailer ? first : (fallback ?? '')).toLowerCase()
  const hosts = hasMailer ? rest : [first]
  const [host = '', ...others] = hosts
  const name = withOwnNames(site, host.replace(/^\[(?:IPv6:)?(.*)\]$/i, '$1')).replace(/\.$/, '')
  if (mailer === '') return { kind: 'none', why: 'no mailer is named, and so sendmail uses none: write esmtp: in front of the host' }
  if (!SMTP_MAILERS.has(mailer)) return { kind: 'none', why: WITHOUT_SMTP }
  if (name === '' || name.includes('%') || name.includes('@') || name.includes('$')) return { kind: 'none', why: 'Postern routes by domain to a host with a fixed name' }
  const notes = [
    ...(host.startsWith('[') || isIpAddress(name) ? [] : [`sendmail went to the MX hosts of ${name}, Postern goes to that host itself`]),
    ...(others.every(isPort) ? [] : [`without its alternatives ${others.join(', ')}`]),
  ]
  const port = mailerPorts(site).get(mailer) ?? 25
  const to = name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`
  return { kind: 'host', to, host: name, note: notes.join('; '), doubt: doubtOf(to, others) }
}

/** `mailhub.$m`: `$j` is the name of the host, `$w` its first part and `$m` the rest. */
function withOwnNames({ draft }: SendmailSite, text: string): string {
  const own = String(draft.valueOf('hostname') ?? '')
  const dot = own.indexOf('.')
  if (dot < 0) return text
  return text.replace(/\$(?:\{([jmw])\}|([jmw])(?!\w))/g, (_, braced?: string, bare?: string) => {
    const letter = braced ?? bare
    return letter === 'j' ? own : letter === 'm' ? own.slice(dot + 1) : own.slice(0, dot)
  })
}

/** Whoever writes `[host]:587` means a port, and gets a second host of that name. */
function doubtOf(to: string, others: readonly string[]): string | null {
  const meant = others.find(isPort)
  return meant === undefined ? null : `sendmail took :${meant} for another host, and Postern goes where it went, to ${to}: if port ${meant} was meant, write ${to.replace(/\d+$/, meant)}`
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text)
}

const SMTP_MAILERS: ReadonlySet<string> = new Set(['smtp', 'esmtp', 'smtp8', 'dsmtp', 'relay'])
const WITHOUT_SMTP = 'Postern passes mail on by SMTP only, and has no mailboxes and no programs to give it to in this version: name a server with SMTP or keep sendmail behind Postern for this domain'

function outsideBrackets(text: string): readonly string[] {
  return text.match(/(?:\[[^\]]*\]|[^:[])+/g) ?? []
}

/** Ports other than 25: `RELAY_MAILER_ARGS` is `TCP $h 587`, in a `.cf` `Mrelay, … A=TCP $h 587`. */
function mailerPorts(site: SendmailSite): ReadonlyMap<string, number> {
  const ofVariables = statementsOf(site, 'variable').map(({ name, value }) => [/^(\w+?)_MAILER_ARGS$/.exec(name)?.[1], value] as const)
  const ofLines = statementsOf(site, 'line').filter(({ letter }) => letter === 'M').map(({ text }) => [/^M(\w+),/.exec(text)?.[1], /\bA=(.*)$/.exec(text)?.[1] ?? ''] as const)
  return new Map(
    [...ofVariables, ...ofLines].flatMap(([mailer, args]) => {
      const port = portOf(/^(?:TCP|IPC)\s+\$h\s+(\w+)/.exec(args)?.[1] ?? '')
      return mailer === undefined || port === null ? [] : [[mailer.toLowerCase(), port] as const]
    }),
  )
}

type Terms = { readonly tls: 'none' | 'encrypt' | 'verify'; readonly from: Source; readonly note: string }

/** What TLS_Srv: and Try_TLS: lines ask of a host that is named as a next hop. */
function termsOf(site: SendmailSite, host: string): Terms | null {
  const required = findForHost(site, 'tls_srv', host)
  const tried = findForHost(site, 'try_tls', host)
  if (tried !== null && /^no\s*$/i.test(tried.value)) return { tls: 'none', from: sourceOf(tried), note: '' }
  const [, word = '', more = ''] = /^(?:(?:PERM|TEMP)\+)?(VERIFY|ENCR)\b(.*)$/i.exec(required?.value ?? '') ?? []
  if (required === null || word === '') return null
  const extra = more.replace(/^:\d+/, '')
  const note = [
    ...(word.toUpperCase() === 'VERIFY' ? ['Postern also wants the certificate to be for the name of the host'] : []),
    ...(extra === '' ? [] : [`${extra} by the line itself`]),
  ].join('; ')
  return { tls: word.toUpperCase() === 'VERIFY' ? 'verify' : 'encrypt', from: sourceOf(required), note }
}

/** The name, then each domain above it, then the tag alone. */
function findForHost({ access }: SendmailSite, tag: string, host: string): AccessEntry | null {
  for (let name = host.toLowerCase(); name !== ''; name = name.includes('.') ? name.slice(name.indexOf('.') + 1) : '') {
    const entry = access.map.find(`${tag}:${name}`)
    if (entry !== null) return entry
  }
  return access.map.find(`${tag}:`)
}
