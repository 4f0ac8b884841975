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
import type { Stats } from 'node:fs'
import path from 'node:path'
import type { FoundAuthorities, SiteAuthority, SiteFiles, SiteText } from '../core/migrate/site-files.ts'
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
    const found = candidates.find(file => statusOf(file) !== undefined) ?? null
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

  authorities(given: string): FoundAuthorities {
    const file = this.locate(given)
    if (file === null) return { counting: [], passedOver: [], unreadable: [] }
    const files = statSync(file).isDirectory() ? namesIn(file).map(name => path.join(file, name)) : [file]
    const read = files.map(place => ({ name: path.basename(place), counts: place === file || HASHED.test(path.basename(place)), authorities: authoritiesIn(place) }))
    return {
      counting: read.flatMap(({ counts, authorities }) => (counts ? (authorities ?? []) : [])),
      passedOver: read.flatMap(({ name, counts, authorities }) => (counts ? [] : (authorities ?? []).map(({ subject }) => ({ name, subject })))),
      unreadable: read.flatMap(({ name, authorities }) => (authorities === null ? [name] : [])),
    }
  }

  nameOf(file: string): string {
    const relative = path.relative(this.folder, file)
    return relative.startsWith('..') ? file : relative
  }
}

/** Compiled tables, and copies that editors leave behind. */
const MADE = /\.(?:db|dir|pag|cdb|lmdb|old|bak|orig|save|rpmsave|rpmnew|dpkg-\w+)$|~$|^\./

const PEM_CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g

/** What OpenSSL looks for in a folder: the hash of a subject, and a number. */
const HASHED = /^[0-9a-f]{8}\.\d+$/

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    throw new Problem(`${folder}: ${reason(error)}`)
  }
}

/** Null for a file that we may not read. What is there and is no CA certificate could never count. */
export function authoritiesIn(file: string): readonly SiteAuthority[] | null {
  const found = statusOf(file)
  if (found === undefined || !found.isFile() || found.size > MOST_BYTES) return []
  const text = textOf(file)
  if (text === null) return null
  return (text.match(PEM_CERTIFICATE) ?? []).flatMap(pem => {
    try {
      const { raw } = new X509Certificate(pem)
      const { certificate, isAuthority } = factsOfCertificate(raw)
      return isAuthority ? [{ subject: certificate.subject, pem: pemOfCertificate(raw), notAfter: certificate.notAfter }] : []
    } catch {
      return []
    }
  })
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return null
  }
}

/** A folder that is closed to us has nothing for us. */
function statusOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}
