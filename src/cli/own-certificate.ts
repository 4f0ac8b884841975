/** The certificate that the relay shows to next hops: it stands among those of people and machines. */

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { defaultConfig } from '../core/config/parse.ts'
import type { Config } from '../core/config/schema.ts'
import { sha256 } from '../io/x509.ts'
import type { HolderRecord } from '../relay/admin.ts'
import { Problem } from './command.ts'
import { inDirectory, readConfig } from './directory.ts'

export type OwnCertificate = { readonly file: string; readonly holder: string; readonly revokedAt: number | null }

/** Null if there is none, or if it is not of our authority. */
export function ownCertificate(directory: string, config: Config, holders: readonly HolderRecord[]): OwnCertificate | null {
  const file = inDirectory(directory, config.delivery.certificateFile)
  const fingerprint = fingerprintIn(file)
  for (const { name, certificates } of holders) {
    const found = certificates.find(certificate => certificate.fingerprint === fingerprint)
    if (found !== undefined) return { file, holder: name, revokedAt: found.revokedAt }
  }
  return null
}

/** The settings, or the usual ones: a mistake in the file must keep nobody from being revoked. */
export function configOrUsual(directory: string): Config {
  try {
    return readConfig(directory)
  } catch (error) {
    if (error instanceof Problem) return defaultConfig('localhost')
    throw error
  }
}

function fingerprintIn(file: string): string | null {
  try {
    return sha256(new X509Certificate(readFileSync(file)).raw)
  } catch {
    return null
  }
}
