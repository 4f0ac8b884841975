/**
 * Reads a data directory into what the processes work with, or says all that is wrong with it.
 *
 * Used at start and before every reload: a directory with a problem in it never replaces settings
 * that work.
 */

import { X509Certificate, createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { formatConfigProblem, parseConfig } from '../core/config/parse.ts'
import type { Config } from '../core/config/schema.ts'
import { formatAccessProblem, parseAccessMap, type AccessMap, type ParsedAccessMap } from '../core/policy/access-map.ts'
import { parseRecipientList } from '../core/policy/recipient-list.ts'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { readKeyFile } from '../io/key-files.ts'
import { keySetProblem } from '../io/token-keys.ts'
import type { AuthorityFacts } from '../relay/admin.ts'
import { problemsOf } from '../relay/policy-holder.ts'
import type { TokenFiles, WorkerSettings } from './messages.ts'
import { SessionLines } from './session-tls.ts'
import type { ListenerName } from '../core/policy/decision.ts'

export type LoadedSettings = {
  readonly config: Config
  /** All but what comes from the authority. */
  readonly forWorkers: Omit<WorkerSettings, 'ownRootPem' | 'ownIssuingPem' | 'index' | 'accounts'>
  readonly warnings: readonly string[]
  readonly access: ParsedAccessMap
}

/**
 * `before`: what was loaded last. A large access map takes seconds to read, and is not read again if it is the same.
 *
 * Every problem is one line: file (and line where it has one), what is wrong, what to do.
 */
export function loadSettings(directory: string, before: LoadedSettings | null = null): Result<LoadedSettings, readonly string[]> {
  const configFile = path.join(directory, 'postern.toml')
  const configText = readText(configFile, 'make a data directory with: postern init --hostname HOST --domain DOMAIN --dir DIRECTORY')
  if (!configText.ok) return fail([configText.problem])
  const parsed = parseConfig(configText.value, configFile)
  if (!parsed.ok) {
    return fail(parsed.problem.map(formatConfigProblem))
  }
  return loadFiles(directory, parsed.value, { text: configText.value, file: configFile }, before)
}

type Source = { readonly text: string; readonly file: string }

function loadFiles(directory: string, config: Config, { text: configText, file: configFile }: Source, before: LoadedSettings | null): Result<LoadedSettings, readonly string[]> {
  const files = new FileReader(directory)
  const accessText = files.text(config.relay.accessFile, 'relay.access')
  const serverCertificatePem = files.text(config.tls.certificateFile, 'tls.certificate')
  const serverKeyPem = files.key(config.tls.keyFile, 'tls.key')
  const client = files.optionalPair(config.delivery.certificateFile, config.delivery.keyFile)
  const listed = (name: ListenerName): readonly string[] =>
    config.listeners[name].clientCaFiles.flatMap(file => files.certificates(file, `listeners.${name}.client-ca`))
  const clientAuthoritiesPem = { mx: listed('mx'), submission: listed('submission'), submissions: listed('submissions'), lmtp: listed('lmtp') }
  const trustedFiles = [...(config.delivery.trustedCaFiles ?? []), ...config.routes.flatMap(route => route.trustedCaFiles ?? [])]
  const trustedPem = Object.fromEntries(trustedFiles.map(file => [file, files.text(file, 'trusted-ca')]))
  const access = readAccess(config, accessText, before)
  const sessions = readSessions(config, access.map, accessText, files)
  const tokens = config.oauth === null ? null : readTokenFiles(config.oauth, files)
  // Read again by whoever starts the authority; what it cannot read is said now.
  if (config.ca.passphraseFile !== null) files.key(config.ca.passphraseFile, 'ca.passphrase-file')
  const recipientsText = config.checks.recipientsFile === null ? null : files.text(config.checks.recipientsFile, 'checks.recipients')
  const problems = [...files.problems, ...sessions.problems, ...recipientProblems(config.checks.recipientsFile, recipientsText)]
  if (problems.length === 0) problems.push(...pairProblems(serverCertificatePem, serverKeyPem, { file: config.tls.certificateFile, table: 'tls', issue: 'postern ca issue server HOSTNAME --install' }))
  if (problems.length === 0 && client !== null) problems.push(...pairProblems(client.certificatePem, client.keyPem, { file: config.delivery.certificateFile, table: 'delivery', issue: 'postern ca issue client' }))
  const findings = accessFindings(config, access, path.resolve(directory, config.relay.accessFile))
  problems.push(...findings.errors)
  if (problems.length > 0) return fail(problems)
  return ok({
    config,
    warnings: findings.warnings,
    access,
    forWorkers: {
      configText,
      configFile,
      accessText,
      accessFile: config.relay.accessFile,
      recipientsText,
      serverCertificatePem,
      serverKeyPem,
      clientCertificatePem: client?.certificatePem ?? null,
      clientKeyPem: client?.keyPem ?? null,
      clientAuthoritiesPem,
      trustedPem,
      sessionPem: sessions.pem,
      tokens,
    },
  })
}

function recipientProblems(file: string | null, text: string | null): readonly string[] {
  const list = text === null ? null : parseRecipientList(text)
  if (list === null || list.ok) return []
  return list.problem.slice(0, 10).map(({ line, text }) => `${file}:${line}: ${JSON.stringify(text)} is no address; write joe@example.org, or @example.org for all of a domain`)
}

function readTokenFiles({ clientSecretFile, keySetFile, trustedCaFiles }: NonNullable<Config['oauth']>, files: FileReader): TokenFiles {
  return {
    // Editors end a file with a line end, which is no part of a secret.
    clientSecret: clientSecretFile === null ? '' : files.key(clientSecretFile, 'oauth.client-secret-file').replace(/\r?\n$/, ''),
    keySetText: keySetFile === null ? null : files.keySet(keySetFile, 'oauth.jwks-file'),
    trustedPem: trustedCaFiles?.flatMap(file => files.certificates(file, 'oauth.trusted-ca')) ?? null,
  }
}

type Sessions = { readonly pem: WorkerSettings['sessionPem']; readonly problems: readonly string[] }

/** The files of TLS_Clt_Features lines, and what OpenSSL has against the lines. As sendmail reads them, they only send nothing. */
function readSessions(config: Config, access: AccessMap, accessText: string, files: FileReader): Sessions {
  if (!/^tls_clt_features:/im.test(accessText)) return { pem: {}, problems: [] }
  const lines = new SessionLines(access)
  const pem: { [file: string]: string } = {}
  for (const { certificateFile, keyFile } of lines.files()) {
    pem[certificateFile] ??= files.text(certificateFile, 'a TLS_Clt_Features line', 'of the access map names it')
    pem[keyFile] ??= files.key(keyFile, 'TLS_Clt_Features')
  }
  if (files.problems.length > 0 || config.relay.compatibility === 'sendmail') return { pem, problems: [] }
  return { pem, problems: lines.problems(file => pem[file] ?? null) }
}

export function workerSettings(
  loaded: LoadedSettings,
  authority: AuthorityFacts,
  credentials: Pick<WorkerSettings, 'index' | 'accounts'>,
): WorkerSettings {
  return { ...loaded.forWorkers, ownRootPem: authority.rootPem, ownIssuingPem: authority.issuingPem, ...credentials }
}

/** Reads files by the names that the configuration gives them, and gathers what is wrong. */
class FileReader {
  readonly problems: string[] = []
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  text(file: string, setting: string, namesIt = 'in postern.toml names it'): string {
    const read = readText(path.resolve(this.#directory, file), `${setting} ${namesIt}`)
    if (read.ok) return read.value
    this.problems.push(read.problem)
    return ''
  }

  /** Each certificate of a PEM file by itself: every one of them is an authority, or the file is wrong. */
  certificates(file: string, setting: string): readonly string[] {
    const found = this.text(file, setting).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
    const where = path.resolve(this.#directory, file)
    const bad = found.findIndex(pem => !isAuthority(pem))
    if (found.length === 0) this.problems.push(`${where}: ${setting}: there is no certificate in it; give the CA's certificate as PEM`)
    else if (bad >= 0) this.problems.push(`${where}: ${setting}: certificate ${bad + 1} of the file cannot be read, or is no CA's; name CAs only`)
    this.problems.push(...missingRoots(found).map(subject => `${where}: ${setting}: ${subject} is no root; put the certificate of the CA above it into the same file`))
    return found
  }

  /** The public keys of an identity provider. */
  keySet(file: string, setting: string): string {
    const before = this.problems.length
    const text = this.text(file, setting)
    const problem = this.problems.length > before ? null : keySetProblem(text)
    if (problem !== null) this.problems.push(`${path.resolve(this.#directory, file)}: ${setting}: ${problem}`)
    return text
  }

  /** A private key: nobody but its owner may read it (S24). */
  key(file: string, setting: string): string {
    const read = readKeyFile(path.resolve(this.#directory, file))
    if (read.ok) return read.value
    this.problems.push(`${setting}: ${read.problem}`)
    return ''
  }

  /** Our certificate as a client; a relay without one is allowed. */
  optionalPair(certificateFile: string, keyFile: string): { readonly certificatePem: string; readonly keyPem: string } | null {
    const certificate = readText(path.resolve(this.#directory, certificateFile), '')
    if (!certificate.ok) return null
    return { certificatePem: certificate.value, keyPem: this.key(keyFile, 'delivery.key') }
  }
}

function readText(file: string, remedy: string): Result<string, string> {
  try {
    return ok(readFileSync(file, 'utf8'))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EACCES') return fail(`${file}: permission denied; run this as root, or as the account that it belongs to`)
    return fail(`${file}: ${code === 'ENOENT' ? 'no such file' : message}; ${remedy}`)
  }
}

type AccessFindings = { readonly errors: readonly string[]; readonly warnings: readonly string[] }

function readAccess({ relay }: Config, accessText: string, before: LoadedSettings | null): ParsedAccessMap {
  const isSame = before?.access.map.isReadFrom(accessText, relay.accessFile) === true
  return isSame ? before.access : parseAccessMap(accessText, relay.accessFile)
}

/** What is wrong with the access map, in lines: what sendmail would misread is refused, unless that is wanted. */
function accessFindings(config: Config, access: ParsedAccessMap, accessFile: string): AccessFindings {
  const problems = problemsOf(config, access).map(problem => ({ ...problem, file: accessFile }))
  const lines = (severity: 'error' | 'warning'): string[] => {
    const all = problems.filter(problem => problem.severity === severity)
    const shown = all.slice(0, MOST_ACCESS_PROBLEMS).map(formatAccessProblem)
    if (all.length > shown.length) shown.push(`${accessFile}: ${all.length - shown.length} more of the kind; "postern access lint" lists all`)
    return shown
  }
  const errors = lines('error')
  const last = errors.pop()
  if (last !== undefined) errors.push(`${last} (compatibility = "sendmail" under [relay] would load this file as sendmail does)`)
  return { errors, warnings: lines('warning') }
}

const MOST_ACCESS_PROBLEMS = 50

/** The TLS library verifies a chain up to a root only. Names of the CAs whose chain ends before one. */
function missingRoots(pems: readonly string[]): readonly string[] {
  const authorities = pems.filter(isAuthority).map(pem => new X509Certificate(pem))
  const isSignedBy = (below: X509Certificate) => (above: X509Certificate) => below.checkIssued(above) && below.verify(above.publicKey)
  return authorities.filter(authority => !authorities.some(isSignedBy(authority))).map(({ subject }) => subject.replaceAll('\n', ', '))
}

function isAuthority(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca
  } catch {
    return false
  }
}

type Pair = { readonly file: string; readonly table: 'tls' | 'delivery'; readonly issue: string }

function pairProblems(certificatePem: string, keyPem: string, { file, table, issue }: Pair): readonly string[] {
  try {
    const certificate = new X509Certificate(certificatePem)
    if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) {
      return [`${file}: ${table}.key is not the key of this certificate; issue a new pair with: ${issue}`]
    }
    return []
  } catch (error) {
    return [`${file}: ${table}.certificate or ${table}.key cannot be read as PEM: ${(error as Error).message}`]
  }
}
