/**
 * A site's `.mc` file to what it says.
 *
 * sendmail's own m4 files are never read: their vocabulary is known here, word by word, and each use
 * of a word is a statement. A file of the site's own that is included is read like the first one.
 */

import { fail, ok } from '../../result.ts'
import type { Result } from '../../result.ts'
import type { Place } from '../report.ts'
import type { SiteFiles, SiteText } from '../site-files.ts'
import { readCfLines } from './cf.ts'
import { M4 } from './m4.ts'
import { m4Builtins } from './m4-builtins.ts'
import type { Builtin, M4Call, M4Problem } from './m4.ts'
import type { Saying, Statement } from './statement.ts'
import { optionOfVariable } from './variables.ts'

const SETTINGS_FOLDER = '/etc/mail/'

export function readMc(main: SiteText, files: SiteFiles): Result<readonly Statement[], M4Problem> {
  return new McReader(files).read(main)
}

/** A definition's value is known only at the end: what it names may be defined later. */
type Noted = { readonly place: Place; readonly saying: Saying } | { readonly place: Place; readonly defines: string }

class McReader {
  readonly #files: SiteFiles
  readonly #texts = new Map<string, readonly string[]>()
  readonly #noted: Noted[] = []
  /** The line of the first file that led to each included one. */
  readonly #includedAt = new Map<string, number>()
  readonly #m4: M4

  constructor(files: SiteFiles) {
    this.#files = files
    const builtins = m4Builtins((m4, call) => {
      const [name = ''] = call.args
      const place = this.#written(call)
      this.#noted.push(m4.isDefined(name) ? { place, defines: name } : { place, saying: { kind: 'word', name: 'undefine', args: [name] } })
    })
    this.#m4 = new M4(new Map([...builtins, ...this.#vocabulary()]))
    this.#m4.define('MAIL_SETTINGS_DIR', SETTINGS_FOLDER)
  }

  read(main: SiteText): Result<readonly Statement[], M4Problem> {
    // Until cf.m4 is included `#` begins a comment, and from there on it does not.
    this.#m4.setComments(CF_M4.test(main.text))
    this.#remember(main, null)
    const run = this.#m4.run(main.name, main.text)
    if (!run.ok) return run
    const statements = [...this.#statements(), ...this.#leftOver()]
    return this.#m4.problem === null ? ok(statements.sort((a, b) => this.#position(a) - this.#position(b))) : fail(this.#m4.problem)
  }

  #remember({ name, text }: SiteText, from: Place | null): void {
    this.#texts.set(name, text.split('\n'))
    if (from !== null) this.#includedAt.set(name, this.#position(from))
  }

  /** In the order of the first file's lines; what was included stands where it was asked for. */
  #position({ file, line }: Place): number {
    return this.#includedAt.get(file) ?? line
  }

  #statements(): readonly Statement[] {
    const lastDefinition = new Map(this.#noted.flatMap(noted => ('defines' in noted ? [[noted.defines, noted] as const] : [])))
    return this.#noted.map(noted => {
      if (!('defines' in noted)) return this.#at(noted.place, noted.saying)
      const last = lastDefinition.get(noted.defines)
      if (last !== noted && last !== undefined) return this.#at(noted.place, { kind: 'overridden', by: `line ${last.place.line}` })
      if (!this.#m4.isDefined(noted.defines)) return this.#at(noted.place, { kind: 'overridden', by: 'undefine' })
      const value = this.#m4.valueOf(noted.defines).trim()
      const option = optionOfVariable(noted.defines)
      const saying: Saying = option === null ? { kind: 'variable', name: noted.defines, value, isUsed: this.#isUsed(noted.defines, noted.place) } : { kind: 'option', name: option, value }
      return this.#at(noted.place, saying)
    })
  }

  #isUsed(name: string, defined: Place): boolean {
    return [...this.#texts].some(([file, lines]) => lines.some((line, index) => (file !== defined.file || index !== defined.line - 1) && hasWord(withoutDnl(line), name)))
  }

  /** Lines that no word took: they go into the `.cf` as they are. */
  #leftOver(): readonly Statement[] {
    const inFile = this.#m4.lines.filter(({ text }) => !/^\s*(?:#|$)/.test(text))
    const isCf = (diversion: number): boolean => diversion === MAIN || diversion === LOCAL_CONFIG
    const rules = inFile.filter(({ diversion }) => !isCf(diversion))
    return [
      ...readCfLines(inFile.filter(({ diversion }) => isCf(diversion))),
      ...rules.map(line => this.#at(line, { kind: 'line', letter: line.diversion === MAILER_DEFINITIONS ? 'M' : 'R' })),
    ]
  }

  #at(place: Place, saying: Saying): Statement {
    const line = this.#texts.get(place.file)?.[place.line - 1] ?? ''
    return { ...place, text: withoutDnl(line), ...saying }
  }

  #note(place: Place, saying: Saying): void {
    this.#noted.push({ place, saying })
  }

  /** What m4 chose from an ifdef of many lines comes from its first; the line that has the words is below. */
  #written({ name, args: [first = ''], place }: M4Call): Place {
    const lines = this.#texts.get(place.file) ?? []
    const at = lines.findIndex((line, index) => index >= place.line - 1 && hasWord(line, name) && hasWord(line, first))
    return at < 0 ? place : { file: place.file, line: at + 1 }
  }

  #vocabulary(): ReadonlyMap<string, Builtin> {
    // Without its arguments it is a word in a sentence.
    const word = (run: (call: M4Call) => void): Builtin => ({
      needsArguments: true,
      run: (m4, call) => {
        run({ ...call, place: this.#written(call), args: READ_AGAIN.has(call.name) ? call.args.map(arg => readAgain(m4, arg)) : call.args })
        return ''
      },
    })
    const section = (diversion: number): Builtin => ({
      needsArguments: false,
      run: m4 => {
        m4.divert(diversion)
        return ''
      },
    })
    const classOf = (name: string) => word(({ args: [list = ''], place }) => this.#note(place, { kind: 'class', name, members: words(list) }))
    const fileOf = (name: string) =>
      word(({ args: [path = ''], place }) => this.#note(place, { kind: 'classFile', name, path: path.replace(/^-o\s+/, ''), isOptional: path.startsWith('-o') }))
    return new Map([
      ['include', word(call => this.#include(call, false))],
      ['sinclude', word(call => this.#include(call, true))],
      ['DOMAIN', word(call => this.#domain(call))],
      ['FEATURE', word(({ args: [name = '', ...args], place }) => this.#note(place, { kind: 'feature', name, args }))],
      ...Object.entries(CLASS_WORDS).map(([name, className]) => [name, classOf(className)] as const),
      ...Object.entries(CLASS_WORDS).map(([name, className]) => [`${name}_FILE`, fileOf(className)] as const),
      ...Object.entries(SECTIONS).map(([name, diversion]) => [name, section(diversion)] as const),
      ...OTHER_WORDS.map(name => [name, word(({ args, place }) => this.#note(place, { kind: 'word', name, args }))] as const),
      ['OSTYPE', word(call => this.#system(call))],
    ])
  }

  #system({ args, place }: M4Call): void {
    this.#note(place, { kind: 'word', name: 'OSTYPE', args })
    if (args[0] === 'debian') this.#defineDebian()
  }

  /** Debian's files for TLS and SASL ask these before they say anything. */
  #defineDebian(): void {
    for (const [name, value] of DEBIAN) this.#m4.define(name, value)
  }

  #include({ args: [path = ''], place }: M4Call, isOptional: boolean): void {
    if (path.endsWith('cf.m4')) this.#m4.setComments(false)
    if (path.endsWith('debian/autoconf.m4')) this.#defineDebian()
    if (path.endsWith('cf.m4') || SENDMAIL_FOLDER.test(path)) return this.#note(place, { kind: 'word', name: 'include', args: [path] })
    const found = this.#files.read(path)
    if (found === null) return this.#note(place, isOptional ? { kind: 'word', name: 'sinclude', args: [path] } : missing(path))
    this.#note(place, { kind: 'word', name: 'included', args: [found.name] })
    this.#remember(found, place)
    this.#m4.include(found.name, found.text)
  }

  /** A domain file holds settings that several hosts share; what it writes out is dropped. */
  #domain({ args: [name = ''], place }: M4Call): void {
    const found = this.#files.read(`domain/${name}.m4`)
    if (found === null) return this.#note(place, DISTRIBUTED_DOMAINS.has(name) ? { kind: 'word', name: 'DOMAIN', args: [name] } : missing(`domain/${name}.m4`))
    this.#note(place, { kind: 'word', name: 'included', args: [found.name] })
    this.#remember(found, place)
    const before = this.#m4.diversion
    this.#m4.divert(-1)
    this.#m4.include(found.name, found.text, `divert(${before})`)
  }
}

/** As a whole: `confCACERT` does not stand in a line with `confCACERT_PATH`. */
function hasWord(line: string, word: string): boolean {
  if (word === '') return true
  for (let at = line.indexOf(word); at >= 0; at = line.indexOf(word, at + 1)) {
    if (!/\w/.test(line.charAt(at - 1)) && !/\w/.test(line.charAt(at + word.length))) return true
  }
  return false
}

/** What an argument holds is put into more m4 and read there once more, so that names in it count. */
function readAgain(m4: M4, text: string): string {
  const [opened, closed] = [text.split('`').length, text.split('\'').length]
  return opened === closed ? m4.valueOf(text) : text
}

function missing(path: string): Saying {
  return { kind: 'unknown', why: `${path} is not here: copy it into this folder and migrate again, or what it says is missing from the result` }
}

function withoutDnl(line: string): string {
  return line.replace(/(?<![A-Za-z0-9_])dnl(?![A-Za-z0-9_]).*$/, '').trim()
}

function words(list: string): readonly string[] {
  return list.split(/\s+/).filter(word => word !== '')
}

const MAIN = 0
const LOCAL_CONFIG = 6
const MAILER_DEFINITIONS = 7
const RULES = 9

const SECTIONS: { readonly [word: string]: number } = {
  LOCAL_CONFIG,
  MAILER_DEFINITIONS,
  ...Object.fromEntries(
    ['RULE_0', 'RULE_1', 'RULE_2', 'RULE_3', 'RULESETS', 'NET_CONFIG', 'SRV_FEATURES', 'CLT_FEATURES', 'TRY_TLS', 'TLS_RCPT', 'TLS_CLIENT', 'TLS_SERVER'].map(
      name => [`LOCAL_${name}`, RULES],
    ),
  ),
}

const CLASS_WORDS: { readonly [word: string]: string } = {
  LOCAL_DOMAIN: 'w',
  RELAY_DOMAIN: 'R',
  MASQUERADE_DOMAIN: 'M',
  MASQUERADE_EXCEPTION: 'N',
  EXPOSED_USER: 'E',
  GENERICS_DOMAIN: 'G',
  VIRTUSER_DOMAIN: 'VirtHost',
  CANONIFY_DOMAIN: 'Canonify',
  LOCAL_USER: 'L',
  TRUST_AUTH_MECH: 'TrustAuthMech',
}

// prettier-ignore
const OTHER_WORDS = [
  'VERSIONID', 'MAILER', 'HACK', 'SITECONFIG', 'SITE', 'DAEMON_OPTIONS', 'CLIENT_OPTIONS', 'INPUT_MAIL_FILTER', 'MAIL_FILTER',
  'MASQUERADE_AS', 'QUEUE_GROUP', 'MODIFY_MAILER_FLAGS', 'DECNET', 'UUCPSMTP', 'LDAPROUTE_DOMAIN', 'LDAPROUTE_DOMAIN_FILE',
  'LDAPROUTE_EQUIVALENT', 'LDAPROUTE_EQUIVALENT_FILE', 'syscmd', 'esyscmd', 'maketemp', 'm4wrap', 'regexp', 'patsubst', 'format', 'builtin', 'indir',
]

/** Words whose arguments name files, hosts and domains. */
const READ_AGAIN: ReadonlySet<string> = new Set([
  ...Object.keys(CLASS_WORDS).flatMap(name => [name, `${name}_FILE`]),
  'FEATURE', 'DOMAIN', 'MASQUERADE_AS', 'DAEMON_OPTIONS', 'CLIENT_OPTIONS', 'include', 'sinclude',
])

/** What its autoconf.m4 says of the sendmail that it packs: the version as one number, and that all is built in. */
const DEBIAN: ReadonlyMap<string, string> = new Map([
  ['sm_version', '8.17.1'],
  ['sm_version_math', String(8 * 65_536 + 17 * 256 + 1)],
  ['sm_auth_lib', '2'],
  ...['auth', 'tls', 'milter', 'ipv6', 'regex', 'newdb', 'ldap', 'tcpd', 'shm'].map((part): [string, string] => [`sm_enable_${part}`, 'yes']),
])

const CF_M4 = /include\(.*cf\.m4/
/** Where sendmail's own m4 files are installed. */
const SENDMAIL_FOLDER = /^\/usr\/(?:local\/)?(?:share|lib|src)\/.*(?:sendmail|cf)/
const DISTRIBUTED_DOMAINS: ReadonlySet<string> = new Set(['generic', 'unspecified', 'debian-mta', 'debian-msp'])
