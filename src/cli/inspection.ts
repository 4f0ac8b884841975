/**
 * What `postern check` looks at: everything that can be wrong with a data directory.
 *
 * Each inspection returns findings; none stops at the first, and none stops another.
 */

import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { weaknessesOf } from '../core/config/check.ts'
import { keyLines } from '../core/config/key-lines.ts'
import { parseConfig } from '../core/config/parse.ts'
import type { Config } from '../core/config/schema.ts'
import { issuersWithoutAuthority, unknownHolders } from '../core/policy/access-lint-own.ts'
import { foldCase, formatAccessProblem } from '../core/policy/access-map.ts'
import { tagOf } from '../core/policy/access-survey.ts'
import type { AccessEntry } from '../core/policy/decision.ts'
import type { Policy } from '../core/policy/policy.ts'
import { formatInstant } from '../core/time.ts'
import { whyNoRoom } from '../io/spool-room.ts'
import { authorityOf, factsOfCertificate, peerCertificateOf } from '../io/x509.ts'
import { error, EXPIRES_SOON, exposure, modeFindings, ourCertificates, warning, type Finding } from '../process/directory-findings.ts'
import { loadSettings, type LoadedSettings } from '../process/settings.ts'
import { readPasswords } from '../process/password-desk.ts'
import { bindListeners, LISTENER_NAMES, problemsOfPaths } from '../process/sockets.ts'
import type { HolderRecord } from '../relay/admin.ts'
import { accountsOf } from '../relay/password-admin.ts'
import { policyOf } from '../relay/policy-holder.ts'
import { failedPolicyTests, type PolicyUnderTest } from '../relay/policy-tests.ts'
import { Problem } from './command.ts'
import { ownCertificate } from './own-certificate.ts'
import { configFile, reason } from './directory.ts'
import { askIfRunning, withAuthority } from './running.ts'

export async function inspect(directory: string, now: number): Promise<readonly Finding[]> {
  const loaded = loadSettings(directory)
  const problems = loaded.ok ? loaded.value.warnings.map(warning) : loaded.problem.map(error)
  const settings = loaded.ok ? { config: loaded.value.config, text: loaded.value.forWorkers.configText } : readAlone(directory)
  const files = [...modeFindings(directory, settings?.config ?? null), ...roomFindings(directory)]
  const ofSettings = settings === null ? [] : await settingFindings(directory, settings, now)
  const ofPolicy = loaded.ok ? await policyFindings(directory, loaded.value, now) : []
  return inOrder([...problems, ...files, ...ofSettings, ...ofPolicy])
}

/** Nothing is lost for want of room, and nothing comes in. */
function roomFindings(directory: string): readonly Finding[] {
  const spool = path.join(directory, 'spool')
  const why = whyNoRoom(spool)
  return why === null ? [] : [error(`${spool}: ${why}: clients are told 452 until there is room; "postern queue list" shows what waits`)]
}

type Settings = { readonly config: Config; readonly text: string }

/** The configuration by itself, where a file that it names has a problem; null where it has one of its own. */
function readAlone(directory: string): Settings | null {
  const file = configFile(directory)
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const parsed = parseConfig(text, file)
  return parsed.ok ? { config: parsed.value, text } : null
}

async function settingFindings(directory: string, { config, text }: Settings, now: number): Promise<readonly Finding[]> {
  return [
    ...weaknesses(config, text, configFile(directory)),
    ...ourCertificates(directory, config, now),
    ...(await portFindings(directory, config)),
  ]
}

async function policyFindings(directory: string, { config, forWorkers }: LoadedSettings, now: number): Promise<readonly Finding[]> {
  const { accessText, recipientsText, configText, clientAuthoritiesPem } = forWorkers
  const policy = policyOf(config, { accessText, recipientsText, accessFile: path.resolve(directory, config.relay.accessFile) })
  return [
    ...exposure(directory, policy),
    ...permissionsWithoutCertificate(policy),
    ...(await authorityFindings(directory, { config, policy, configText, configFile: configFile(directory), clientAuthoritiesPem, now })),
  ]
}

function weaknesses(config: Config, text: string, file: string): readonly Finding[] {
  const lineOf = keyLines(text)
  return weaknessesOf(config).map(weakness => {
    const name = weakness.path.map(step => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('').slice(1)
    return warning(`${file}:${lineOf(weakness.path) ?? 1}: ${name}: ${weakness.text}`)
  })
}

/** Chosen on purpose, and worth knowing: who relays with no certificate at all. */
function permissionsWithoutCertificate(policy: Policy): readonly Finding[] {
  const entries = [...policy.access.entries()].filter(({ key, value }) => isForClients(key) && /^relay\b/i.test(value.trim()))
  const where = ({ file, line }: AccessEntry): string => `${file}:${line}`
  return entries.slice(0, MOST_NOTES).map(entry => ({
    severity: 'note',
    text: `${where(entry)}: ${entry.key.replace(/^connect:/i, '')} relays without a certificate; addresses can be shared and taken over, so keep this list short`,
  }))
}

/** `192.0.2 RELAY` without a tag is for clients, too. */
function isForClients(key: string): boolean {
  const tag = tagOf(foldCase(key))
  return tag === 'connect' || (tag === '' && !key.includes('@'))
}

const MOST_NOTES = 20

type Tested = Omit<PolicyUnderTest, 'holders' | 'readCertificate'> & Pick<LoadedSettings['forWorkers'], 'clientAuthoritiesPem'>

/** The authority itself, and what depends on who holds certificates: our own, and the [[test]] cases. */
async function authorityFindings(directory: string, tested: Tested): Promise<readonly Finding[]> {
  try {
    const { holders, authority } = await withAuthority(directory, async ask => ({ ...(await ask({ do: 'list' }, 'listed')), ...(await ask({ do: 'show' }, 'shown')) }))
    const own = ownCertificate(directory, tested.config, holders)
    return [
      ...(own === null || own.revokedAt === null ? [] : [error(`${own.file}: was revoked on ${formatInstant(own.revokedAt)}, and next hops are shown it; postern ca issue client`)]),
      ...passwordsWanted(directory, tested.config, holders),
      ...failedPolicyTests({ ...tested, holders, readCertificate: peerCertificateOf }).map(({ text }) => error(text)),
      ...strangersInAccess(tested, holders),
      ...strangeIssuersInAccess(tested, [authority.rootPem, authority.issuingPem]),
      ...namesakes(tested, authority.issuingPem),
      ...expiringHolders(holders.filter(({ name }) => name !== own?.holder), tested.now),
    ]
  } catch (problem) {
    if (problem instanceof Problem) return [error(problem.message)]
    throw problem
  }
}

/** `CERTISSUER:` lines for CAs that no listener knows. */
function strangeIssuersInAccess({ policy, clientAuthoritiesPem }: Tested, ownPem: readonly string[]): readonly Finding[] {
  const pems = [...ownPem, ...Object.values(clientAuthoritiesPem).flat()]
  const subjects = pems.map(pem => factsOfCertificate(new X509Certificate(pem).raw).certificate.subject)
  return issuersWithoutAuthority(policy.access, subjects).slice(0, MOST_NOTES).map(problem => warning(formatAccessProblem(problem)))
}

/** CAs of `client-ca` that have our own one's name, as those of two Posterns of one company may: no line of the access map could tell them apart. */
function namesakes({ clientAuthoritiesPem }: Tested, issuingPem: string): readonly Finding[] {
  const own = authorityOf(issuingPem, 'own')
  return Object.entries(clientAuthoritiesPem).flatMap(([name, pems]) =>
    pems
      .map(pem => authorityOf(pem, 'foreign'))
      .filter(({ subject, keyFingerprint }) => subject.toLowerCase() === own.subject.toLowerCase() && keyFingerprint !== own.keyFingerprint)
      .map(({ subject }) => warning(`listeners.${name}.client-ca: ${subject} is the name of our own authority too, and certificates of the other count for nothing; give that one a name of its own, by --organisation or --ca-name of "postern init"`)),
  )
}

/** `USER:` lines for names that nobody has. */
function strangersInAccess({ config, policy }: Pick<PolicyUnderTest, 'config' | 'policy'>, holders: readonly HolderRecord[]): readonly Finding[] {
  if (config.relay.compatibility === 'sendmail') return []
  return unknownHolders(policy.access, holders.map(({ name }) => name)).slice(0, MOST_NOTES).map(problem => warning(formatAccessProblem(problem)))
}

/** People and machines whose last certificate ends soon, or ended a short while ago, the first to end first. Our own is looked at as a file. */
function expiringHolders(holders: readonly HolderRecord[], now: number): readonly Finding[] {
  const ends = holders.flatMap(({ name, certificates }) => {
    const live = certificates.filter(({ revokedAt }) => revokedAt === null).map(({ notAfter }) => notAfter)
    const until = Math.max(...live)
    return live.length === 0 || Math.abs(until - now) >= EXPIRES_SOON ? [] : [{ name, until }]
  })
  const shown = ends.sort((a, b) => a.until - b.until).slice(0, MOST_NOTES)
  const more = ends.length > shown.length ? [warning(`certificates of ${ends.length - shown.length} more people or machines expire soon; "postern user list" shows all`)] : []
  const words = (until: number): string => (until <= now ? 'expired' : 'expires')
  return [...shown.map(({ name, until }) => warning(`the certificate of ${name} ${words(until)} on ${formatInstant(until)}; "postern user add ${name}" issues another`)), ...more]
}

/** Listeners that nobody can log in to: each client hears no more than that it is refused. */
function passwordsWanted(directory: string, { listeners, oauth }: Config, holders: readonly HolderRecord[]): readonly Finding[] {
  const wanting = LISTENER_NAMES.filter(name => listeners[name].enabled && ['password', 'both'].includes(listeners[name].authentication))
  if (wanting.length === 0) return []
  const file = readPasswords(directory)
  if (!file.ok) return [error(file.problem)]
  if ((accountsOf(file.value, holders, oauth !== null)?.holders.length ?? 0) > 0) return []
  return wanting.map(name =>
    warning(
      `${configFile(directory)}: listeners.${name}.authentication: "${listeners[name].authentication}" wants a password, and nobody has one that counts; ` +
        '"postern user passwd NAME --device DEVICE" makes one',
    ),
  )
}

/** Whether the ports can be had; a running Postern has them already, and says what it does not use yet. */
async function portFindings(directory: string, config: Config): Promise<readonly Finding[]> {
  const running = await askIfRunning(directory, { do: 'status' }).catch(() => null)
  if (running !== null) {
    const waiting = running.value.afterRestart.map(what => warning(`${configFile(directory)}: ${what}: what was changed here is used after a restart`))
    return [...waiting, ...problemsOfPaths(config.listeners).map(error)]
  }
  try {
    const sockets = await bindListeners(config.listeners, {})
    if (!sockets.ok) return sockets.problem.map(error)
    sockets.value.close()
    return sockets.value.bound.flatMap(({ name, note }) => (note === null ? [] : [warning(`listeners.${name}: ${note}`)]))
  } catch (problem) {
    return [error(`listeners: ${reason(problem)}`)]
  }
}

/** Errors first. Two inspections that meet the same problem say it once. */
function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const isSaid = ({ text }: Finding, index: number): boolean =>
    findings.some((other, at) => at !== index && other.text.endsWith(text) && (other.text !== text || at < index))
  const order = { error: 0, warning: 1, note: 2 }
  return findings.filter((finding, index) => !isSaid(finding, index)).sort((a, b) => order[a.severity] - order[b.severity])
}
