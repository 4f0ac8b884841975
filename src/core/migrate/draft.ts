/**
 * The new site while it is being made from the old one: settings, routes, domains, lines of the access
 * map, and what is to be said about each.
 *
 * Every setting remembers the line it came from. What Postern's own schema does not take is taken out
 * again and reported, so that the result is always a configuration that loads.
 */

import { parseConfig } from '../config/parse.ts'
import type { ListenerName } from '../policy/decision.ts'
import { assert } from '../result.ts'
import { renderConfig } from './render-config.ts'
import type { RenderedConfig } from './render-config.ts'
import type { Item, Source } from './report.ts'

export type SettingValue = string | number | boolean | readonly string[]

export type Setting = {
  readonly table: string
  readonly key: string
  readonly value: SettingValue
  readonly from: Source
}

/** A list in DNS, with the answers of it that count. */
export type DraftBlocklist = { readonly zone: string; readonly answers: readonly string[]; readonly from: Source }

export type DraftRoute = { readonly settings: readonly Setting[]; readonly from: Source }

/** A line of the access map that says what the old configuration said elsewhere. */
export type AddedEntry = { readonly key: string; readonly value: string; readonly from: Source }

export type CopiedFile = { readonly name: string; readonly content: string }

export class Draft {
  readonly items: Item[] = []
  readonly #settings = new Map<string, Setting>()
  readonly #domains = new Map<string, Source>()
  readonly #blocklists = new Map<string, DraftBlocklist>()
  readonly #routes = new Map<string, DraftRoute>()
  readonly #entries = new Map<string, AddedEntry>()
  /** Files to be written beside the configuration. */
  readonly copies: CopiedFile[] = []

  carried(from: Source, words: string): void {
    this.#say('carried', from, words)
  }

  todo(from: Source, words: string): void {
    this.#say('todo', from, words)
  }

  unneeded(from: Source, words: string): void {
    this.#say('unneeded', from, words)
  }

  /** `note` tells what is different about it. A later setting takes the place of an earlier one. */
  set(from: Source, name: string, value: SettingValue, note = ''): void {
    this.put(from, name, value)
    this.carried(from, `${name} = ${JSON.stringify(value)}${note === '' ? '' : ` (${note})`}`)
  }

  /** As `set`, where something else says what became of the line. */
  put(from: Source, name: string, value: SettingValue): void {
    const dot = name.lastIndexOf('.')
    this.#settings.set(name, { table: name.slice(0, Math.max(0, dot)), key: name.slice(dot + 1), value, from })
  }

  drop(name: string): void {
    this.#settings.delete(name)
  }

  /** Some next hop that is named must show a good certificate. */
  verifiesNextHops(): boolean {
    const ofRoutes = [...this.#routes.values()].flatMap(({ settings }) => settings)
    return this.valueOf('delivery.tls') === 'verify' || ofRoutes.some(({ key, value }) => key === 'tls' && value === 'verify')
  }

  valueOf(name: string): SettingValue | null {
    return this.#settings.get(name)?.value ?? null
  }

  /** A domain that mail is accepted for. */
  addDomain(from: Source, domain: string): void {
    const key = domain.toLowerCase()
    if (!this.#domains.has(key)) this.#domains.set(key, from)
  }

  get domains(): readonly string[] {
    return [...this.#domains.keys()]
  }

  /** Each domain that the site names: to take mail for, or to route; of `.example.org` the domain itself. */
  namedDomains(): readonly (readonly [name: string, from: Source])[] {
    const routed = [...this.#routes].map(([domain, { from }]) => [domain.replace(/^\./, ''), from] as const)
    return [...new Map([...routed, ...this.#domains])].filter(([name]) => name !== '*')
  }

  /** One of them. */
  putDomainFirst(domain: string): void {
    const first = domain.toLowerCase()
    const all = [...this.#domains].sort(([a], [b]) => Number(b === first) - Number(a === first))
    this.#domains.clear()
    for (const [name, from] of all) this.#domains.set(name, from)
  }

  hasDomain(domain: string): boolean {
    return this.#domains.has(domain.toLowerCase())
  }

  /** False if this list is asked already. */
  addBlocklist(from: Source, zone: string, answers: readonly string[]): boolean {
    if (this.#blocklists.has(zone)) return false
    this.#blocklists.set(zone, { zone, answers, from })
    return true
  }

  /** False if there is a route for this domain already. */
  addRoute(from: Source, domain: string, settings: { readonly [key: string]: SettingValue }): boolean {
    const key = domain.toLowerCase()
    if (this.#routes.has(key)) return false
    const all = Object.entries({ domain: key, ...settings }).map(([key, value]) => ({ table: 'route', key, value, from }))
    this.#routes.set(key, { from, settings: all })
    return true
  }

  /** The domains whose next hop is HOST:PORT. */
  routesTo(to: string): readonly string[] {
    return [...this.#routes].flatMap(([domain, { settings }]) => (settings.some(({ key, value }) => key === 'to' && value === to) ? [domain] : []))
  }

  setInRoute(domain: string, from: Source, key: string, value: SettingValue): void {
    const route = this.#routes.get(domain)
    if (route === undefined) return
    const others = route.settings.filter(setting => setting.key !== key)
    this.#routes.set(domain, { ...route, settings: [...others, { table: 'route', key, value, from }] })
  }

  hasRoute(domain: string): boolean {
    return this.#routes.has(domain.toLowerCase())
  }

  /** False if the map has this key already; `has` knows the old map. */
  addEntry(from: Source, key: string, value: string): boolean {
    const folded = key.toLowerCase()
    if (this.#entries.has(folded)) return false
    this.#entries.set(folded, { key, value, from })
    return true
  }

  removeEntry(key: string): void {
    this.#entries.delete(key.toLowerCase())
  }

  get entries(): readonly AddedEntry[] {
    return [...this.#entries.values()]
  }

  /** Off, unless the old configuration had one. */
  enableListener(from: Source, name: ListenerName, address: string | null): void {
    this.put(from, `listeners.${name}.enabled`, true)
    if (address !== null) this.put(from, `listeners.${name}.address`, address)
  }

  /** The text of postern.toml. What the schema refuses is left out, and said. */
  config(heading: string): string {
    for (;;) {
      const rendered = this.#render(heading)
      const parsed = parseConfig(rendered.text, 'postern.toml')
      if (parsed.ok) return rendered.text
      const refused = parsed.problem.flatMap(problem => {
        const part = rendered.parts.get(problem.line)
        return part === undefined ? [] : [{ part, message: problem.message }]
      })
      assert(refused.length > 0, `only what was set can be wrong: ${JSON.stringify(parsed.problem)}`)
      for (const { part, message } of refused) this.#withdraw(part, message)
    }
  }

  #render(heading: string): RenderedConfig {
    return renderConfig({ heading, settings: [...this.#settings.values()], domains: this.#domains, blocklists: [...this.#blocklists.values()], routes: [...this.#routes.values()] })
  }

  #withdraw(part: Setting, message: string): void {
    const { from, table, key, value } = part
    const name = table === '' ? key : `${table}.${key}`
    if (table === 'route') this.#dropRouteWith(part)
    else if (name === 'relay.domains') this.#domains.delete(String(value))
    else this.#settings.delete(name)
    const at = this.items.findIndex(item => item.outcome === 'carried' && item.file === from.file && item.line === from.line)
    if (at >= 0) this.items.splice(at, 1)
    this.todo(from, `${name} = ${JSON.stringify(value)} is nothing that Postern takes (${message}); left out`)
  }

  #dropRouteWith(part: Setting): void {
    for (const [domain, { settings }] of this.#routes) if (settings.includes(part)) this.#routes.delete(domain)
  }

  #say(outcome: Item['outcome'], { file, line, text }: Source, words: string): void {
    this.items.push({ file, line, text, outcome, words })
  }
}
