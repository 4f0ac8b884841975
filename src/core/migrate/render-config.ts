/**
 * The text of a migrated postern.toml. Behind each setting stands the line it came from.
 */

import type { DraftBlocklist, DraftRoute, Setting, SettingValue } from './draft.ts'
import { formatPlace } from './report.ts'
import type { Place, Source } from './report.ts'

type ConfigParts = {
  readonly heading: string
  readonly settings: readonly Setting[]
  readonly domains: ReadonlyMap<string, Source>
  readonly blocklists: readonly DraftBlocklist[]
  readonly routes: readonly DraftRoute[]
}

/** `parts` has what stands on each line, so that a line's problem leads back to where it came from. */
export type RenderedConfig = { readonly text: string; readonly parts: ReadonlyMap<number, Setting> }

export function renderConfig({ heading, settings, domains, blocklists, routes }: ConfigParts): RenderedConfig {
  const page = new Page()
  for (const line of heading.split('\n')) page.write(line === '' ? '#' : `# ${line}`)
  page.write('')
  page.settings(settings.filter(({ table }) => table === ''))
  for (const table of TABLES) {
    const own = settings.filter(setting => setting.table === table)
    const hasDomains = table === 'relay' && domains.size > 0
    const hasBlocklists = table === 'checks' && blocklists.length > 0
    if (own.length === 0 && !hasDomains && !hasBlocklists) continue
    page.write('', `[${table}]`)
    if (hasDomains) page.domains(domains)
    page.settings(own)
    if (hasBlocklists) page.blocklists(blocklists)
  }
  for (const route of routes) {
    page.write('', '[[route]]')
    page.settings(route.settings)
  }
  page.write('', ...STRANGERS_TEST)
  return page.finish()
}

const TABLES = ['relay', 'listeners.mx', 'listeners.submission', 'listeners.submissions', 'tls', 'delivery', 'queue', 'limits', 'limits.address', 'checks']

/** As in the file that init writes. */
const STRANGERS_TEST = [
  '# What must stay true, whatever is changed above or in "access". Run by "postern check" and before every reload.',
  '[[test]]',
  'as = "anonymous"',
  'from = "stranger@example.com"',
  'to = "someone@elsewhere.example"',
  'expect = "refuse"',
]

class Page {
  readonly #lines: string[] = []
  readonly #parts = new Map<number, Setting>()

  write(...lines: readonly string[]): void {
    this.#lines.push(...lines)
  }

  settings(settings: readonly Setting[]): void {
    for (const setting of settings) {
      this.write(withOrigin(`${setting.key} = ${toml(setting.value)}`, setting.from))
      this.#parts.set(this.#lines.length, setting)
    }
  }

  domains(domains: ReadonlyMap<string, Source>): void {
    this.write('# Mail to these is accepted from anyone.', 'domains = [')
    for (const [domain, from] of domains) {
      this.write(withOrigin(`  ${toml(domain)},`, from))
      this.#parts.set(this.#lines.length, { table: 'relay', key: 'domains', value: domain, from })
    }
    this.write(']')
  }

  blocklists(blocklists: readonly DraftBlocklist[]): void {
    this.write('dns-blocklists = [')
    for (const { zone, answers, from } of blocklists) {
      const counted = answers.length === 0 ? '' : `, answers = ${toml(answers)}`
      this.write(withOrigin(`  { zone = ${toml(zone)}${counted} },`, from))
    }
    this.write(']')
  }

  finish(): RenderedConfig {
    return { text: `${this.#lines.join('\n')}\n`, parts: this.#parts }
  }
}

function withOrigin(line: string, from: Place): string {
  return from.file === '' ? line : `${line.padEnd(WIDTH)}  # ${formatPlace(from)}`
}

const WIDTH = 44

/** A TOML value; JSON's escapes are a subset of TOML's. */
function toml(value: SettingValue): string {
  return typeof value === 'object' ? `[${value.map(part => JSON.stringify(part)).join(', ')}]` : JSON.stringify(value)
}
