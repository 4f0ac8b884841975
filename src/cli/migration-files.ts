/**
 * The files of a site that is being migrated: its folder, and a way from the paths that its
 * configuration names to where they are now.
 *
 * The folder is often a copy from another machine. `/etc/mail/certs/ca.pem` is then looked for as
 * `certs/ca.pem` and `ca.pem` in it, and never in this machine's own /etc; only where the folder is
 * itself below /etc are paths taken as they are.
 */

import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import type { SiteAuthority, SiteFiles, SiteText } from '../core/migrate/site-files.ts'
import { checkKeyFile } from '../io/key-files.ts'
import { factsOfCertificate, pemOfCertificate } from '../io/x509.ts'
import { Problem } from './command.ts'
import { reason } from './directory.ts'

/** More is no configuration; an access map of a million entries has half of it. */
const MOST_BYTES = 128 * 1024 * 1024

export class MigrationFiles implements SiteFiles {
  readonly folder: string
  readonly #isLive: boolean
  readonly #asked = new Set<string>()

  constructor(folder: string) {
    this.folder = path.resolve(folder)
    this.#isLive = this.folder === '/etc' || this.folder.startsWith('/etc/')
  }

  read(given: string): SiteText | null {
    const file = this.locate(given)
    if (file === null || !statSync(file).isFile()) return null
    if (statSync(file).size > MOST_BYTES) throw new Problem(`${file}: larger than ${MOST_BYTES} bytes; is it a table?`)
    try {
      return { name: this.nameOf(file), text: readFileSync(file, 'utf8') }
    } catch (error) {
      throw new Problem(`${file}: ${reason(error)}`)
    }
  }

  /** Relative paths start at the folder. */
  locate(given: string): string | null {
    const parts = given.split('/').filter(part => part !== '')
    if (parts.length === 0 || parts.includes('..') || given.includes('\0')) return null
    const isInside = given.startsWith(`${this.folder}/`)
    const inFolder = parts.map((_, index) => path.join(this.folder, ...parts.slice(index)))
    const candidates = isInside ? [given] : [...(this.#isLive && given.startsWith('/') ? [given] : []), ...inFolder]
    const found = candidates.find(file => statSync(file, { throwIfNoEntry: false }) !== undefined) ?? null
    if (found !== null) this.#asked.add(found)
    return found
  }

  /** Plain files of the folder that nobody asked for, without what is made from others. */
  unread(): readonly string[] {
    const names = readdirSync(this.folder, { withFileTypes: true }).filter(entry => entry.isFile() && !MADE.test(entry.name))
    return names.map(({ name }) => name).filter(name => !this.#asked.has(path.join(this.folder, name))).sort()
  }

  keyProblem(given: string): string | null {
    const file = this.locate(given)
    return file === null ? null : checkKeyFile(file)
  }

  authorities(given: string): readonly SiteAuthority[] {
    const file = this.locate(given)
    if (file === null) return []
    const files = statSync(file).isDirectory() ? readdirSync(file).sort().map(name => path.join(file, name)) : [file]
    return files.flatMap(authoritiesIn)
  }

  nameOf(file: string): string {
    const relative = path.relative(this.folder, file)
    return relative.startsWith('..') ? file : relative
  }
}

/** Compiled tables, and copies that editors leave behind. */
const MADE = /\.(?:db|dir|pag|cdb|lmdb|old|bak|orig|save|rpmsave|rpmnew|dpkg-\w+)$|~$|^\./

const PEM_CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g

/** What cannot be read as a CA certificate is none that could count. */
export function authoritiesIn(file: string): readonly SiteAuthority[] {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined || !found.isFile() || found.size > MOST_BYTES) return []
  const pems = readFileSync(file, 'latin1').match(PEM_CERTIFICATE) ?? []
  return pems.flatMap(pem => {
    try {
      const { raw } = new X509Certificate(pem)
      const { certificate, isAuthority } = factsOfCertificate(raw)
      return isAuthority ? [{ subject: certificate.subject, pem: pemOfCertificate(raw), notAfter: certificate.notAfter }] : []
    } catch {
      return []
    }
  })
}
