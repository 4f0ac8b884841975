/**
 * What is wrong with a data directory whose settings can be used all the same.
 *
 * `check` names it, and so do each start and each reload, in the same words: to keep a change out
 * because of an old mistake would keep out the one that mends it.
 */

import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Config } from '../core/config/schema.ts'
import { openRelays } from '../core/policy/exposure.ts'
import type { Policy } from '../core/policy/policy.ts'
import { formatInstant } from '../core/time.ts'
import { checkDataFolder, checkGrantingFile } from '../io/key-files.ts'

export type Finding = {
  /** `note` is what an administrator chose and should remember. */
  readonly severity: 'error' | 'warning' | 'note'
  /** Where (file and line where it has one), what, and what to do. */
  readonly text: string
}

const DAY = 86_400_000
export const EXPIRES_SOON = 30 * DAY

export function directoryFindings(directory: string, config: Config, policy: Policy, now: number): readonly Finding[] {
  return [...modeFindings(directory, config), ...ourCertificates(directory, config, now), ...exposure(directory, policy)]
}

/** S24: what other accounts can read or replace; without settings, only what is always there. */
export function modeFindings(directory: string, config: Config | null): readonly Finding[] {
  const granting = config === null ? [] : grantingFiles(config).map(file => checkGrantingFile(path.resolve(directory, file)))
  return [...new Set([...checkDataFolder(directory), ...granting.filter(problem => problem !== null)])].map(error)
}

/** The files by which somebody becomes an identity that counts. */
function grantingFiles({ oauth, listeners }: Config): readonly string[] {
  const ofProvider = oauth === null ? [] : [...(oauth.keySetFile === null ? [] : [oauth.keySetFile]), ...(oauth.trustedCaFiles ?? [])]
  return [...new Set([...ofProvider, ...Object.values(listeners).flatMap(listener => ('clientCaFiles' in listener ? listener.clientCaFiles : []))])]
}

/** S20: an open relay, whatever made it one. */
export function exposure(directory: string, policy: Policy): readonly Finding[] {
  const accessFile = path.resolve(directory, policy.access.file)
  return openRelays(policy).map(({ client, reversePath, forwardPath }) =>
    error(
      `${accessFile}: open relay: a stranger at ${client} may send from <${reversePath}> to <${forwardPath}>; ` +
        `"postern explain --client ${client} --from '${reversePath}' --to '${forwardPath}'" names the line that allows it`,
    ),
  )
}

export function ourCertificates(directory: string, config: Config, now: number): readonly Finding[] {
  const ours = [
    { file: config.tls.certificateFile, hostname: config.hostname, renew: `postern ca issue server ${config.hostname} localhost --install` },
    { file: config.delivery.certificateFile, hostname: null, renew: 'postern ca issue client' },
    { file: 'ca/ca.pem', hostname: null, renew: 'make a new authority while this one is still valid' },
    { file: 'ca/issuing.pem', hostname: null, renew: 'make a new authority while this one is still valid' },
  ]
  return ours.flatMap(({ file, hostname, renew }) => certificateFindings(path.resolve(directory, file), hostname, renew, now))
}

function certificateFindings(file: string, hostname: string | null, renew: string, now: number): readonly Finding[] {
  if (!existsSync(file)) return [warning(`${file}: is not there; ${renew}`)]
  const certificate = parseCertificate(file)
  if (certificate === null) return [error(`${file}: is no certificate in PEM`)]
  const findings: Finding[] = []
  const until = certificate.validToDate.getTime()
  const from = certificate.validFromDate.getTime()
  if (until <= now) findings.push(error(`${file}: expired on ${formatInstant(until)}; ${renew}`))
  else if (until - now < EXPIRES_SOON) findings.push(warning(`${file}: expires on ${formatInstant(until)}; ${renew}`))
  if (from > now) findings.push(error(`${file}: is not valid before ${formatInstant(from)}; is the clock right?`))
  // Clients may know us by another name that the certificate has.
  if (hostname !== null && certificate.checkHost(hostname, { subject: 'never' }) === undefined) {
    findings.push(warning(`${file}: is not for ${hostname}, the host name in postern.toml, and clients that know us by it will refuse it; ${renew}`))
  }
  return findings
}

function parseCertificate(file: string): X509Certificate | null {
  try {
    return new X509Certificate(readFileSync(file))
  } catch {
    return null
  }
}

export function error(text: string): Finding {
  return { severity: 'error', text }
}

export function warning(text: string): Finding {
  return { severity: 'warning', text }
}
